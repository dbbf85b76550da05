//! The lock of the one reporter: a file beside the database.

use std::{
    fs::File,
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg},
};

use crate::{Error, ErrorKind};

/// The group of the service may see whether a reporter runs. The umask decides whether it may be the reporter.
const MODE: u32 = 0o660;

/// Locks the file. The lock lasts as long as the returned value.
pub(super) fn take(database: &Path) -> Result<Flock<File>, Error> {
    let name = name(database);
    let opened = File::options().append(true).create(true).mode(MODE).open(&name);
    match Flock::lock(opened.map_err(|error| unreachable(&name, &error))?, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => Ok(lock),
        Err((_, Errno::EWOULDBLOCK)) => {
            let text = format!("{}: another tlsrpt deliver uses this store; stop one of them", database.display());
            Err(Error::new(ErrorKind::Locked, text))
        }
        Err((_, error)) => Err(unreachable(&name, &error.into())),
    }
}

/// Whether a reporter holds the lock. False if this user may not open the file.
pub(super) fn is_held(database: &Path) -> Result<bool, Error> {
    let name = name(database);
    let file = match File::open(&name) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) => {
            return Ok(false);
        }
        opened => opened.map_err(|error| unreachable(&name, &error))?,
    };
    match Flock::lock(file, FlockArg::LockSharedNonblock) {
        Ok(_) => Ok(false),
        Err((_, Errno::EWOULDBLOCK)) => Ok(true),
        Err((_, error)) => Err(unreachable(&name, &error.into())),
    }
}

fn name(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-reporter");
    name.into()
}

fn unreachable(name: &Path, error: &io::Error) -> Error {
    Error::new(ErrorKind::Unreachable, format!("{}: {error}", name.display()))
}
