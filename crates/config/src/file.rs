//! The file as it is read: a regular file, bounded in size, in UTF-8.

use std::{
    fs::{Metadata, OpenOptions},
    io::{self, Read},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use nix::fcntl::OFlag;

/// The default path of the configuration file. The file need not exist.
pub const DEFAULT_FILE: &str = "/etc/tlsrpt/tlsrpt.toml";

/// The usual path of the collector's socket: the default of `socket` in `[collect]`, and of options.
pub const DEFAULT_SOCKET: &str = "/run/tlsrpt/tlsrpt.sock";

/// The largest configuration file in bytes.
pub const LARGEST_FILE: u64 = 1 << 20;

/// The content of the file, and its metadata with the permissions.
pub(crate) struct Content {
    pub(crate) text: String,
    pub(crate) metadata: Metadata,
}

/// Why a file cannot be read.
pub(crate) enum Unreadable {
    /// There is no such file.
    Missing,
    /// The line, if known, and the reason.
    Because(Option<usize>, String),
}

/// Reads a file.
pub(crate) fn read(path: &Path) -> Result<Content, Unreadable> {
    // A pipe without a writer must not make a service wait.
    let flags = OFlag::O_NONBLOCK.bits();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(|error| explain(&error))?;
    let metadata = file.metadata().map_err(|error| explain(&error))?;
    if !metadata.is_file() {
        return Err(because("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    file.take(LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(|error| explain(&error))?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(because(&format!("it is larger than {LARGEST_FILE} bytes, the largest configuration file")));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
        Unreadable::Because(Some(line), "this line is not UTF-8".into())
    })?;
    Ok(Content { text, metadata })
}

fn explain(error: &io::Error) -> Unreadable {
    match error.kind() {
        io::ErrorKind::NotFound => Unreadable::Missing,
        io::ErrorKind::PermissionDenied => because("permission denied; run as root or as the user of the service"),
        io::ErrorKind::NotADirectory => because("a part of its path is not a directory"),
        _ => because(&error.to_string()),
    }
}

fn because(reason: &str) -> Unreadable {
    Unreadable::Because(None, reason.into())
}
