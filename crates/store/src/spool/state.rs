//! What waits in the spool.

use std::path::Path;

use jiff::{Timestamp, civil::Date};
use rusqlite::Connection;

use super::{database::Spool, format::FORMAT};
use crate::{
    Error,
    file::{self, Identity, count, date, timestamp},
};

/// The batches that wait in a spool.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SpoolState {
    /// How many.
    pub batches: u64,
    /// The bytes of their contents.
    pub bytes: u64,
    /// When the oldest of them was added.
    pub oldest: Option<Timestamp>,
    /// The earliest day of their events.
    pub first_day: Option<Date>,
    /// Batches that were put aside, because they cannot be read.
    pub unreadable: u64,
}

/// Reads what waits in the spool of a collector, without disturbing it.
///
/// # Errors
///
/// [`crate::ErrorKind::Missing`] if there is no spool; other kinds as their documentation says.
pub fn look_at_spool(path: &Path) -> Result<SpoolState, Error> {
    Identity::at(path, &FORMAT)?;
    let connection = file::open_read_only(path, &FORMAT)?;
    read(&connection).map_err(|error| FORMAT.failure(path, &error))
}

impl Spool {
    /// What waits in it.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn state(&mut self) -> Result<SpoolState, Error> {
        read(&self.connection).map_err(|error| self.failed(&error))
    }
}

fn read(connection: &Connection) -> rusqlite::Result<SpoolState> {
    let mut statement = connection.prepare_cached(
        "SELECT batches, bytes, (SELECT added FROM batch ORDER BY id LIMIT 1), (SELECT min(day) FROM batch), \
         (SELECT count(*) FROM unreadable) FROM spool",
    )?;
    statement.query_row([], |row| {
        let batches = count(row, 0)?;
        Ok(SpoolState {
            batches,
            bytes: count(row, 1)?,
            oldest: timestamp(row, 2)?,
            first_day: if batches == 0 { None } else { Some(date(row, 3)?) },
            unreadable: count(row, 4)?,
        })
    })
}
