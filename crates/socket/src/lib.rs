//! Local sockets with a path.
//!
//! - [`Listening`]: listens at a path, or at a socket that the service manager passes. Every command that takes over a
//!   socket path does it here. See [`listening`] for the steps.
//! - [`probe`], [`explain`]: find out what is at a path, and explain errors.
//! - [`Reader`]: reads datagrams from a socket as fast as they arrive.
//! - [`Queue`]: a queue between two threads with bounded memory.
//!
//! # Example
//!
//! ```
//! use std::os::unix::net::{UnixDatagram, UnixListener};
//! use tlsrpt_socket::{Listening, NameAtEnd, PathOptions};
//!
//! # let directory = tempfile::tempdir()?;
//! # let (path, map) = (&directory.path().join("tlsrpt.sock"), &directory.path().join("map.sock"));
//! // A collector: the socket of the service manager, or its own, whose name is removed when it is dropped.
//! let options = PathOptions { mode: 0o622, owner: None, name: NameAtEnd::Removed };
//! let collector: Listening<UnixDatagram> = match Listening::passed()? {
//!     Some(passed) => passed,
//!     None => Listening::bind(path, &options)?,
//! };
//! // A server whose clients must find a socket at any time.
//! let options = PathOptions { mode: 0o600, owner: None, name: NameAtEnd::Kept };
//! let server: Listening<UnixListener> = Listening::bind(map, &options)?;
//! # let _ = (collector, server.socket());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![deny(unsafe_code)]

mod directory;
mod explain;
mod kind;
pub mod listening;
mod lock;
mod making;
mod node;
mod owner;
mod passed;
mod probe;
mod queue_length;
mod reader;
mod received;
mod waiting;

pub use directory::Changeable;
pub use explain::explain;
pub use kind::LocalSocket;
pub use listening::{BindError, Listening, NameAtEnd, PathOptions};
pub use owner::Owner;
pub use passed::PassedError;
pub use probe::{Found, probe};
pub use queue_length::{USUAL_LENGTH, length_of_new};
pub use reader::{Reader, Stop};
pub use received::{Arrived, Received, Waiting};
pub use waiting::{Queue, TakesMemory};

/// The longest name of a local socket in bytes: `sun_path` of Linux without the NUL at its end.
pub const LONGEST_NAME: usize = 107;
