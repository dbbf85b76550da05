//! Opens a store with the engine that the URL names.

use std::path::PathBuf;

use crate::{
    Error, ErrorKind, Limits, Options, PostgresqlUrl, Reader, ReceivedReader, ReceivedStore, ReportStore, SharedStore,
    Store, Synchronous, Url,
    postgresql::Postgresql,
    sqlite::{FORMAT, Sqlite},
};

/// Opens the store for the collector. Creates one in a file if there is none, and migrates it if an older version made it.
/// One of a server is created and migrated by [`open_reports`].
///
/// # Errors
///
/// [`crate::ErrorKind::Newer`] if a later version of the program made it; other kinds as their documentation says.
pub fn open(url: &Url, options: Options) -> Result<Box<dyn Store>, Error> {
    match url {
        Url::Sqlite(path) => Ok(Box::new(Sqlite::open(path, options)?)),
        Url::Postgresql(url) => Ok(Box::new(Postgresql::open(url, options.limits)?)),
    }
}

/// Opens a store that many hosts share, for the collector of one of them.
///
/// # Errors
///
/// [`crate::ErrorKind::Missing`] or [`crate::ErrorKind::Older`] if the reporter has not made or migrated it yet, which
/// the role of a collector cannot do; [`crate::ErrorKind::Newer`] if a later version of the program made it; other kinds
/// as their documentation says.
pub fn open_shared(url: &PostgresqlUrl, limits: Limits) -> Result<Box<dyn SharedStore>, Error> {
    Ok(Box::new(Postgresql::open(url, limits)?))
}

/// Opens the store to read. Changes nothing and never makes the collector wait.
///
/// # Errors
///
/// [`crate::ErrorKind::Missing`] if there is no store yet; [`crate::ErrorKind::AddsOnly`] for the role of a collector of many
/// hosts; other kinds as their documentation says.
pub fn open_reader(url: &Url) -> Result<Box<dyn Reader>, Error> {
    match url {
        Url::Sqlite(path) => Ok(Box::new(Sqlite::open_read_only(path)?)),
        Url::Postgresql(url) => Ok(Box::new(Postgresql::open_reader(url)?)),
    }
}

/// Opens the store for the reporter. Creates it if there is none, and migrates it if an older version made it.
///
/// # Errors
///
/// As [`open`].
pub fn open_reports(url: &Url, synchronous: Synchronous) -> Result<Box<dyn ReportStore>, Error> {
    match url {
        Url::Sqlite(path) => Ok(Box::new(Sqlite::open(path, Options { synchronous, ..Options::default() })?)),
        Url::Postgresql(url) => Ok(Box::new(Postgresql::open_owned(url, Limits::default())?)),
    }
}

/// Opens the store to keep received reports. Creates it if there is none, and migrates it if an older version made it.
///
/// # Errors
///
/// As [`open`].
pub fn open_received(url: &Url, options: Options) -> Result<Box<dyn ReceivedStore>, Error> {
    match url {
        Url::Sqlite(path) => Ok(Box::new(Sqlite::open(path, options)?)),
        Url::Postgresql(url) => Ok(Box::new(Postgresql::open_owned(url, options.limits)?)),
    }
}

/// Opens the store to read received reports. Changes nothing.
///
/// # Errors
///
/// As [`open_reader`].
pub fn open_received_reader(url: &Url) -> Result<Box<dyn ReceivedReader>, Error> {
    match url {
        Url::Sqlite(path) => Ok(Box::new(Sqlite::open_read_only(path)?)),
        Url::Postgresql(url) => Ok(Box::new(Postgresql::open_reader(url)?)),
    }
}

/// Renames a damaged store to a name that ends in `stamp`, so that a new one can be created. Returns the new name.
///
/// # Errors
///
/// [`crate::ErrorKind::Unreachable`] if the file was never a store. It is not renamed.
pub fn set_aside(url: &Url, stamp: &str) -> Result<PathBuf, Error> {
    match url {
        Url::Sqlite(path) => FORMAT.set_aside(path, stamp),
        Url::Postgresql(url) => Err(Error::new(ErrorKind::Unreachable, format!("{url}: not a file of this host"))),
    }
}
