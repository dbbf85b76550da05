//! The engine is chosen by the URL.

use crate::{Error, Options, Reader, ReportStore, Store, Url, sqlite::Sqlite};

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
pub fn open_reports(url: &Url) -> Result<Box<dyn ReportStore>, Error> {
    match url {
        Url::Sqlite(path) => Ok(Box::new(Sqlite::open(path, Options::default())?)),
    }
}
