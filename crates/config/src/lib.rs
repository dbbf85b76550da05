//! The configuration file of all parts of TLSRPT.
//!
//! The table of keys in `keys` is the only place that names a key, its type, default, range and documentation.
//! Everything else is made from it: the [`Configuration`] that services read, the output of `tlsrpt config`, the
//! example file, and the list in tlsrpt.toml(5).
//!
//! - [`load`]: reads a file, or uses the defaults.
//! - [`Loaded`]: the configuration, the origin of each value, and warnings.
//! - [`Problems`]: the errors of a file, by line.
//! - [`show`], [`example`], [`manual`]: the configuration in force and the table, as text.
//! - [`nearest()`]: the word that was probably meant, for the file and for command lines.

#![forbid(unsafe_code)]

mod contradictions;
mod entries;
pub mod example;
mod file;
pub mod kind;
#[macro_use]
mod table;
mod keys;
mod load;
pub mod manual;
mod nearest;
mod problem;
mod reader;
pub mod show;
mod warnings;

pub use file::{DEFAULT_FILE, DEFAULT_SOCKET, LARGEST_FILE};
pub use keys::{Alert, Collect, Configuration, Https, Mail, MailDkim, Privacy, Received, Report, SECTIONS, Store};
pub use kind::{Group, SecretText, SmtpServer, Synchronous, User, Verify};
pub use load::{Loaded, load, load_text};
pub use nearest::nearest;
pub use problem::{Problem, Problems};
pub use reader::{Origin, Setting};
pub use table::{Default, Key, Section};
