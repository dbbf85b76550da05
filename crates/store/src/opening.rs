//! Opens a store with the engine that the URL names.

use std::path::PathBuf;

use crate::{
    Error, ErrorKind, Limits, Options, PostgresqlUrl, Reader, ReportStore, SharedStore, Store, Synchronous, Url,
    sqlite::{self, Sqlite},
};

/// Opens the store for the collector. Creates it if there is none, and migrates it if an older version made it.
///
/// # Errors
///
/// [`crate::ErrorKind::Newer`] if a later version of the program made it; other kinds as their documentation says.
pub fn open(url: &Url, options: Options) -> Result<Box<dyn Store>, Error> {
    match url {
        Url::Sqlite(path) => Ok(Box::new(Sqlite::open(path, options)?)),
        Url::Postgresql(url) => Err(not_yet(url)),
    }
}

/// Opens a store that many hosts share, for the collector of one of them.
///
/// # Errors
///
/// [`crate::ErrorKind::Missing`] or [`crate::ErrorKind::Older`] if the reporter has not made or migrated it yet, which
/// the role of a collector cannot do; [`crate::ErrorKind::Newer`] if a later version of the program made it; other kinds
/// as their documentation says.
pub fn open_shared(url: &PostgresqlUrl, _limits: Limits) -> Result<Box<dyn SharedStore>, Error> {
    Err(not_yet(url))
}

/// Opens the store to read. Changes nothing and never makes the collector wait.
///
/// # Errors
///
/// [`crate::ErrorKind::Missing`] if there is no store yet; other kinds as their documentation says.
pub fn open_reader(url: &Url) -> Result<Box<dyn Reader>, Error> {
    match url {
        Url::Sqlite(path) => Ok(Box::new(Sqlite::open_read_only(path)?)),
        Url::Postgresql(url) => Err(not_yet(url)),
    }
}

/// Opens the store for the reporter. Creates and migrates it like [`open`].
///
/// # Errors
///
/// As [`open`].
pub fn open_reports(url: &Url, synchronous: Synchronous) -> Result<Box<dyn ReportStore>, Error> {
    match url {
        Url::Sqlite(path) => Ok(Box::new(Sqlite::open(path, Options { synchronous, ..Options::default() })?)),
        Url::Postgresql(url) => Err(not_yet(url)),
    }
}

/// Renames a damaged store to a name that ends in `stamp`, so that a new one can be created. Returns the new name.
///
/// # Errors
///
/// [`crate::ErrorKind::Unreachable`] if the file was never a store. It is not renamed.
pub fn set_aside(url: &Url, stamp: &str) -> Result<PathBuf, Error> {
    match url {
        Url::Sqlite(path) => sqlite::set_aside(path, stamp),
        Url::Postgresql(url) => Err(Error::new(ErrorKind::Unreachable, format!("{url}: not a file of this host"))),
    }
}

fn not_yet(url: &PostgresqlUrl) -> Error {
    Error::new(ErrorKind::Other, format!("{url}: this version has no PostgreSQL yet; use a URL such as sqlite:/PATH"))
}
