//! A lock on a socket path while one process takes it over.
//!
//! The lock is on a file of its own, `.NAME.lock`, that only its owner can open: with a lock on the directory, every user
//! who may read the directory could keep a service from starting. The file is removed with the lock. One that a killed
//! process left behind is not locked, and is used again.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io,
    os::unix::fs::MetadataExt,
};

use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg},
    unistd::geteuid,
};

use crate::{directory::Directory, node::Node};

/// Held until it is dropped.
#[derive(Debug)]
pub(crate) struct TakeoverLock<'d> {
    directory: &'d Directory,
    name: OsString,
    _lock: Flock<File>,
    node: Node,
}

/// Why a path cannot be locked.
#[derive(Debug)]
pub(crate) enum LockError {
    /// Another process has the lock.
    Held,
    /// The file with this name cannot be used as a lock.
    File(OsString, io::Error),
}

impl<'d> TakeoverLock<'d> {
    /// Locks the name `of` in `directory`. Does not wait.
    pub(crate) fn take(directory: &'d Directory, of: &OsStr) -> Result<Self, LockError> {
        let mut name = OsString::from(".");
        name.push(of);
        name.push(".lock");
        // The process that had the lock removes the file: then the lock is on a file without a name, and is taken anew.
        loop {
            let file = open_own(directory, &name).map_err(|error| LockError::File(name.clone(), error))?;
            let lock = Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, errno)| match errno {
                Errno::EWOULDBLOCK => LockError::Held,
                errno => LockError::File(name.clone(), errno.into()),
            })?;
            let named = directory.node(&name).map_err(|error| LockError::File(name.clone(), error))?;
            let metadata = lock.metadata().map_err(|error| LockError::File(name.clone(), error))?;
            if let Some(node) = named.filter(|node| node.is(&metadata)) {
                return Ok(Self { directory, name, _lock: lock, node });
            }
        }
    }
}

impl Drop for TakeoverLock<'_> {
    fn drop(&mut self) {
        // A file that stays is used by the next process.
        let _ = self.directory.remove(&self.name, &self.node);
    }
}

/// Opens the lock file. One that belongs to another user could be locked by that user, so it is refused.
fn open_own(directory: &Directory, name: &OsStr) -> io::Result<File> {
    let file = directory.open_private(name)?;
    let metadata = file.metadata()?;
    let own = metadata.uid() == geteuid().as_raw() && metadata.mode() & 0o077 == 0;
    if metadata.is_file() && own {
        return Ok(file);
    }
    Err(io::Error::new(io::ErrorKind::PermissionDenied, "not a private file of this user"))
}
