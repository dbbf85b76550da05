//! Messages for errors of sending a datagram.

use std::{io, path::Path};

use nix::errno::Errno;

/// The message for an error of a send to `path`.
pub fn explain(path: &Path, error: &io::Error) -> String {
    let path = path.display();
    match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::ENOENT) => format!("there is no socket at {path}: is the collector running?"),
        Some(Errno::ECONNREFUSED) => format!("nobody listens at {path}: is the collector running?"),
        Some(Errno::EACCES) => format!("no permission to write to {path}"),
        Some(Errno::EAGAIN) => format!("the queue of the collector at {path} is full"),
        Some(Errno::EPROTOTYPE) => format!("{path} is not a datagram socket"),
        Some(Errno::EMSGSIZE) => format!("the event is too long for the system to send to {path}"),
        _ => format!("{path}: {error}"),
    }
}
