//! A database of tlsrpt-reporter, opened to read.

use std::{
    fmt::Display,
    fs,
    path::{Path, PathBuf},
};

use jiff::{Timestamp, civil::Date};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Params, Row};

use crate::{error::Error, in_use};

/// The program that writes the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writer {
    Collectd,
    Reportd,
}

impl Writer {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Collectd => "tlsrpt-collectd",
            Self::Reportd => "tlsrpt-reportd",
        }
    }

    /// What the one row of the table `dbversion` has as purpose.
    fn purpose(self) -> &'static str {
        match self {
            Self::Collectd => "TLSRPT-Collectd-DB-devel-2024-10-28",
            Self::Reportd => "TLSRPT-Reportd-DB-devel-2024-10-28",
        }
    }
}

/// The version in the table `dbversion`.
const VERSION: i64 = 1;
/// What all purposes begin with, in any version.
const ANY_PURPOSE: &str = "TLSRPT-";

/// A database in one state: what another process commits is not seen.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) path: PathBuf,
    pub(crate) writer: Writer,
    /// When the file was made: it stays when tlsrpt-collectd renames the file.
    pub(crate) made: String,
    connection: Connection,
}

impl Database {
    /// Opens it.
    ///
    /// # Errors
    ///
    /// If its program still runs, or if it is of another program or version.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let metadata = fs::metadata(path).map_err(|error| Error::source(path, error))?;
        if let Some((name, number)) = in_use::user_of(&metadata) {
            let fact = format!("process {number} ({name}) has it open; stop that program first, with SIGTERM");
            return Err(Error::source(path, fact));
        }
        let (connection, found) = read_version(path).map_err(|error| unreadable(path, &error))?;
        let Some((version, purpose, made)) = found.filter(|(_, purpose, _)| purpose.starts_with(ANY_PURPOSE)) else {
            return Err(Error::source(path, "not a database of tlsrpt-collectd or tlsrpt-reportd"));
        };
        let known = [Writer::Collectd, Writer::Reportd].into_iter().find(|writer| writer.purpose() == purpose);
        let Some(writer) = known.filter(|_| version == VERSION) else {
            let fact = format!(
                "{purpose}, version {version}, is not the schema of tlsrpt-reporter 0.6.0, which alone is known here"
            );
            return Err(Error::source(path, fact));
        };
        Ok(Self { path: path.into(), writer, made, connection })
    }

    /// The rows of a query.
    pub(crate) fn rows<T>(
        &self,
        query: &str,
        parameters: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, Error> {
        let read_all = || {
            let mut statement = self.connection.prepare_cached(query)?;
            statement.query_map(parameters, read)?.collect::<rusqlite::Result<_>>()
        };
        read_all().map_err(|error| unreadable(&self.path, &error))
    }

    /// The error for something in the database.
    pub(crate) fn wrong(&self, fact: impl Display) -> Error {
        Error::source(&self.path, fact)
    }

    /// A day as its column has it.
    pub(crate) fn day(&self, text: &str) -> Result<Date, Error> {
        text.parse().map_err(|_| self.wrong(format!("\"{text}\" is not a day")))
    }
}

/// Text of any encoding: mail servers write what strangers sent them.
pub(crate) fn text(row: &Row<'_>, column: usize) -> rusqlite::Result<String> {
    let value = row.get_ref(column)?;
    let bytes = value.as_bytes_or_null()?.unwrap_or_default();
    Ok(String::from_utf8_lossy(bytes).into_owned())
}

/// A count; 0 for what cannot be one.
pub(crate) fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let number: Option<i64> = row.get(column)?;
    Ok(number.and_then(|number| u64::try_from(number).ok()).unwrap_or_default())
}

/// A moment: `2026-11-29 00:35:44` in UTC, or with an offset.
pub(crate) fn moment(text: &str) -> Option<Timestamp> {
    text.parse().or_else(|_| format!("{text}Z").parse()).ok()
}

type Version = (i64, String, String);

fn read_version(path: &Path) -> rusqlite::Result<(Connection, Option<Version>)> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.execute_batch("BEGIN")?;
    let tables = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'dbversion')";
    if !connection.query_row(tables, [], |row| row.get(0))? {
        return Ok((connection, None));
    }
    let query = "SELECT version, purpose, installdate FROM dbversion";
    let found = connection.query_row(query, [], |row| Ok((row.get(0)?, text(row, 1)?, text(row, 2)?))).optional()?;
    Ok((connection, found))
}

fn unreadable(path: &Path, error: &rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        // A reader that may not write cannot undo a transaction that a killed process left.
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen) if has_journal(path) => Error::source(
            path,
            "a killed process left a transaction unfinished; start its program again, and stop it with SIGTERM",
        ),
        Some(ErrorCode::NotADatabase) => Error::source(path, "not a database of tlsrpt-collectd or tlsrpt-reportd"),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            Error::source(path, "another process writes it; stop that program first, with SIGTERM")
        }
        _ => Error::source(path, error),
    }
}

fn has_journal(path: &Path) -> bool {
    let mut journal = path.as_os_str().to_owned();
    journal.push("-journal");
    Path::new(&journal).exists()
}
