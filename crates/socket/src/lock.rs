//! A lock on a socket path while one process takes it over.
//!
//! The lock is on a separate file, `.NAME.lock`, that only its owner can open. A lock on the directory would let every
//! user who may read the directory keep a service from starting. The file is removed with the lock. A file that a
//! killed process has left is not locked, and is used again.

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

/// The lock, held until it is dropped.
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
        // If the process that had the lock has removed the file meanwhile, this lock is on a file without a name. Try
        // again then.
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
        // If it cannot be removed, the next process uses it.
        let _ = self.directory.remove(&self.name, &self.node);
    }
}

/// Opens the lock file. Refuses a file of another user, who could lock it.
fn open_own(directory: &Directory, name: &OsStr) -> io::Result<File> {
    let file = directory.open_private(name)?;
    let metadata = file.metadata()?;
    let own = metadata.uid() == geteuid().as_raw() && metadata.mode() & 0o077 == 0;
    if metadata.is_file() && own {
        return Ok(file);
    }
    Err(io::Error::new(io::ErrorKind::PermissionDenied, "not a private file of this user"))
}
