//! The types of values: how each is written in the file, read, and shown.

mod address;
mod choice;
mod definition;
mod list;
mod number;
mod place;
mod text;
mod url;
mod who;

pub use choice::{Synchronous, Verify};
pub use definition::{Kind, Refused};
pub use text::SecretText;
pub use url::SmtpServer;
pub use who::{Group, User};

pub use address::{Domain, MailAddress};
pub use choice::{Bool, Synchronously, VerifyCertificates};
pub use list::{Domains, Networks, Ports, Program};
pub use number::{Count, Duration, Mode, Size};
pub use place::{Path, SocketPath};
pub use text::{Secret, Text};
pub use url::{Smtp, StoreLocation};
pub use who::{GroupName, UserName};
