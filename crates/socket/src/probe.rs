//! What there is at the name of a socket.

use std::{
    fs::{self, FileType},
    io,
    os::unix::{fs::FileTypeExt, net::UnixDatagram},
    path::Path,
};

use nix::errno::Errno;

/// What stands at the name, and whether somebody listens.
#[derive(Debug)]
pub enum Found {
    /// No file.
    Nothing,
    /// The collector, or whoever else: the datagram socket, connected to it.
    Listener(UnixDatagram),
    /// A socket that nobody has open any more.
    Stale,
    /// A stream socket, for instance.
    OtherKindOfSocket,
    /// A file of this type.
    NotASocket(&'static str),
    /// The system does not say, mostly for lack of permission.
    Unknown(io::Error),
}

/// Looks at the name by connecting to it. Nothing is sent.
pub fn probe(path: &Path) -> Found {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Found::Nothing,
        Err(error) => return Found::Unknown(error),
        Ok(metadata) if metadata.file_type().is_socket() => {}
        Ok(metadata) => return Found::NotASocket(kind(metadata.file_type())),
    }
    let socket = match UnixDatagram::unbound() {
        Ok(socket) => socket,
        Err(error) => return Found::Unknown(error),
    };
    match socket.connect(path) {
        Ok(()) => Found::Listener(socket),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Found::Stale,
        Err(error) if error.raw_os_error() == Some(Errno::EPROTOTYPE as i32) => Found::OtherKindOfSocket,
        Err(error) => Found::Unknown(error),
    }
}

fn kind(file_type: FileType) -> &'static str {
    match file_type {
        _ if file_type.is_dir() => "a directory",
        _ if file_type.is_file() => "a regular file",
        _ if file_type.is_fifo() => "a named pipe",
        _ => "a device",
    }
}
