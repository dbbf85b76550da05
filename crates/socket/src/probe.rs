//! Finds out what is at a socket path.

use std::{
    fs::{self, FileType},
    io,
    os::unix::{fs::FileTypeExt, net::UnixDatagram},
    path::Path,
};

use nix::errno::Errno;

/// The file at a path, and whether a process listens there.
#[derive(Debug)]
pub enum Found {
    /// No file.
    Nothing,
    /// A datagram socket on which a process listens. The value is a socket that is connected to it.
    Listener(UnixDatagram),
    /// A socket that no process has open.
    Stale,
    /// A socket that a process has open, but not a datagram socket: for instance a stream socket.
    OtherKindOfSocket,
    /// A file of another type, with its article: "a directory".
    NotASocket(&'static str),
    /// The system returned an error, usually for lack of permission.
    Unknown(io::Error),
}

/// Examines the path and connects to a socket there. Follows symbolic links. Sends nothing.
pub fn probe(path: &Path) -> Found {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Found::Nothing,
        Err(error) => return Found::Unknown(error),
        Ok(metadata) if metadata.file_type().is_socket() => {}
        Ok(metadata) => return Found::NotASocket(file_kind(metadata.file_type())),
    }
    probe_socket(path)
}

/// Like [`probe`], for a file that is a socket. Makes no connection to a stream socket.
pub(crate) fn probe_socket(path: &Path) -> Found {
    let socket = match UnixDatagram::unbound() {
        Ok(socket) => socket,
        Err(error) => return Found::Unknown(error),
    };
    match socket.connect(path) {
        Ok(()) => Found::Listener(socket),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Found::Nothing,
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Found::Stale,
        Err(error) if error.raw_os_error() == Some(Errno::EPROTOTYPE as i32) => Found::OtherKindOfSocket,
        Err(error) => Found::Unknown(error),
    }
}

/// The type of a file that is not a socket, with its article.
pub(crate) fn file_kind(file_type: FileType) -> &'static str {
    match file_type {
        _ if file_type.is_symlink() => "a symbolic link",
        _ if file_type.is_dir() => "a directory",
        _ if file_type.is_file() => "a regular file",
        _ if file_type.is_fifo() => "a named pipe",
        _ => "a device",
    }
}
