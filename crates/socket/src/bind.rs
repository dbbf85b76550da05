//! The socket of a collector: made without taking another's, removed at the end without removing another's.

use std::{
    fs::{self, File, Metadata},
    io,
    os::unix::{
        fs::{MetadataExt, chown},
        net::UnixDatagram,
    },
    path::{Path, PathBuf},
};

use nix::{
    fcntl::{Flock, FlockArg},
    sys::stat::{Mode, umask},
};

use super::{Found, Owner, probe, queue_length::with_long_queue};

/// A socket that listens at a name in the file system until it is dropped.
#[derive(Debug)]
pub struct Listening {
    socket: UnixDatagram,
    queue: Option<u32>,
    path: PathBuf,
    file: Identity,
}

/// Which file it is, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

/// Why it cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another process listens there.
    #[error("somebody listens at {} already", .0.display())]
    Taken(PathBuf),
    /// A file of another type is there.
    #[error("{} is {}, which is not mine to replace", .0.display(), .1)]
    NotASocket(PathBuf, &'static str),
    /// The test for a listener failed.
    #[error("cannot tell whether somebody listens at {}: {}", .0.display(), .1)]
    Unknown(PathBuf, io::Error),
    /// The socket cannot be made or bound.
    #[error("cannot listen at {}: {}", .0.display(), .1)]
    Bind(PathBuf, io::Error),
    /// The owner or the group cannot be set.
    #[error("cannot give {} to its owner: {}", .0.display(), .1)]
    Owner(PathBuf, io::Error),
}

impl Listening {
    /// Listens at `path`. Replaces a socket that nobody listens on, and nothing else.
    pub fn bind(path: &Path, mode: u32, owner: Option<Owner>) -> Result<Self, BindError> {
        let own = || path.to_path_buf();
        // Two that start at once must not both find the same stale socket. Where the directory cannot be opened, the
        // system alone decides.
        let _lock = lock_directory(path);
        make_room(path)?;
        let (socket, queue) = bind_with_mode(path, mode).map_err(|error| BindError::Bind(own(), error))?;
        let file = fs::symlink_metadata(path).map_err(|error| BindError::Bind(own(), error))?;
        let listening = Self { socket, queue, path: own(), file: Identity::of(&file) };
        if let Some(Owner { user, group }) = owner {
            chown(path, user.map(Into::into), group.map(Into::into)).map_err(|error| BindError::Owner(own(), error))?;
        }
        Ok(listening)
    }

    /// The socket itself.
    pub fn socket(&self) -> &UnixDatagram {
        &self.socket
    }

    /// How many datagrams wait in the system before the next sender is refused, where that is known.
    pub fn queue(&self) -> Option<u32> {
        self.queue
    }

    /// Whether a name leads to this very socket.
    pub fn is_at(&self, path: &Path) -> bool {
        fs::metadata(path).is_ok_and(|metadata| Identity::of(&metadata) == self.file)
    }

    /// Takes the name away, so that nobody sends any more. What has come can still be read. Somebody else's socket
    /// that took over the name stays.
    pub fn remove_name(&self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|metadata| Identity::of(&metadata) == self.file) {
            // A name that cannot be removed is a stale socket, which the next to listen replaces.
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.remove_name();
    }
}

impl Identity {
    fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

fn lock_directory(path: &Path) -> Option<Flock<File>> {
    let directory = match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => return None,
    };
    Flock::lock(File::open(directory).ok()?, FlockArg::LockExclusive).ok()
}

fn make_room(path: &Path) -> Result<(), BindError> {
    let own = || path.to_path_buf();
    if fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink()) {
        return Err(BindError::NotASocket(own(), "a symbolic link"));
    }
    match probe(path) {
        Found::Nothing => Ok(()),
        Found::Stale => fs::remove_file(path).map_err(|error| BindError::Bind(own(), error)),
        Found::Listener(_) | Found::OtherKindOfSocket => Err(BindError::Taken(own())),
        Found::NotASocket(kind) => Err(BindError::NotASocket(own(), kind)),
        Found::Unknown(error) => Err(BindError::Unknown(own(), error)),
    }
}

/// The socket has its permissions from the first moment on. The mask is the process's: nobody else makes files now.
fn bind_with_mode(path: &Path, mode: u32) -> io::Result<(UnixDatagram, Option<u32>)> {
    let before = umask(Mode::from_bits_truncate(!mode & 0o777));
    let bound = with_long_queue(|| UnixDatagram::bind(path));
    umask(before);
    bound
}
