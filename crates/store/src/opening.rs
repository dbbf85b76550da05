//! The engine is chosen by the URL.

use std::path::PathBuf;

use crate::{
    Error, Options, Reader, ReportStore, Store, Synchronous, Url,
    sqlite::{self, Sqlite},
};

/// Opens the store for the collector. Makes it where there is none, and migrates it where it is older than the program.
///
/// # Errors
///
/// [`crate::ErrorKind::Newer`] where a later version of the program made it; others by what is in the way.
pub fn open(url: &Url, options: Options) -> Result<Box<dyn Store>, Error> {
    match url {
        Url::Sqlite(path) => Ok(Box::new(Sqlite::open(path, options)?)),
    }
}

/// Opens the store to read. Changes nothing and never makes the collector wait.
///
/// # Errors
///
/// [`crate::ErrorKind::Missing`] where there is none yet; others by what is in the way.
pub fn open_reader(url: &Url) -> Result<Box<dyn Reader>, Error> {
    match url {
        Url::Sqlite(path) => Ok(Box::new(Sqlite::open_read_only(path)?)),
    }
}

/// Opens the store for the reporter. Makes and migrates it as [`open`] does.
///
/// # Errors
///
/// As [`open`].
pub fn open_reports(url: &Url, synchronous: Synchronous) -> Result<Box<dyn ReportStore>, Error> {
    match url {
        Url::Sqlite(path) => Ok(Box::new(Sqlite::open(path, Options { synchronous, ..Options::default() })?)),
    }
}

/// Gives a damaged store another name, which ends in `stamp`, so that a new one can begin in its place. The new name.
///
/// # Errors
///
/// [`crate::ErrorKind::Unreachable`] where what is there was never a store: it may be somebody's. It stays.
pub fn set_aside(url: &Url, stamp: &str) -> Result<PathBuf, Error> {
    match url {
        Url::Sqlite(path) => sqlite::set_aside(path, stamp),
    }
}
