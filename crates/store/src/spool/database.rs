//! The open spool, and adding to it.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::{
    content::{Content, Packed},
    format::FORMAT,
};
use crate::{
    Added, Batch, Error, ErrorKind, KeptDays, Purged, Store, Synchronous, day,
    file::{self, Identity, count, number},
};

/// The batches that wait for the store of many hosts.
#[derive(Debug)]
pub struct Spool {
    pub(super) connection: Connection,
    path: PathBuf,
    file: Identity,
    pub(super) options: SpoolOptions,
}

/// The options for opening a spool to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpoolOptions {
    /// The most bytes that it takes on the disk, without what SQLite keeps beside the file.
    pub limit: u64,
    /// The loss after a power cut.
    pub synchronous: Synchronous,
}

/// Renames a damaged spool to a name that ends in `stamp`, so that a new one can be created. Returns the new name.
///
/// # Errors
///
/// [`ErrorKind::Unreachable`] if the file was never a spool. It is not renamed.
pub fn set_spool_aside(path: &Path, stamp: &str) -> Result<PathBuf, Error> {
    FORMAT.set_aside(path, stamp)
}

impl Spool {
    /// Opens the file to write. Creates it if there is none, and migrates it if an older version made it; its directory
    /// must exist.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Newer`] if a later version of the program made it; other kinds as their documentation says.
    pub fn open(path: &Path, options: SpoolOptions) -> Result<Self, Error> {
        let connection = file::open(path, &FORMAT, options.synchronous)?;
        Ok(Self { connection, path: path.into(), file: Identity::at(path, &FORMAT)?, options })
    }

    pub(super) fn failed(&self, error: &rusqlite::Error) -> Error {
        FORMAT.failure(&self.path, error)
    }

    fn check_limit(&self, more: usize) -> Result<(), Error> {
        let used = used(&self.connection).map_err(|error| self.failed(&error))?;
        if used.saturating_add(more as u64) <= self.options.limit {
            return Ok(());
        }
        let text = format!(
            "{}: the spool has reached spool-limit, {} MiB; the store must take its batches, or set a larger \
             spool-limit in [store]",
            self.path.display(),
            self.options.limit >> 20
        );
        Err(Error::new(ErrorKind::Full, text))
    }
}

impl Store for Spool {
    fn add(&mut self, batch: &Batch) -> Result<Added, Error> {
        self.file.check(&self.path, &FORMAT)?;
        let packed = Content::of(batch).pack();
        self.check_limit(packed.bytes.len())?;
        let added = insert(&self.connection, batch, &packed).map_err(|error| self.failed(&error))?;
        Ok(Added { before: !added, ..Added::default() })
    }

    /// Removes nothing: what waits goes to the store, however old it is.
    fn purge(&mut self, _: KeptDays) -> Result<Purged, Error> {
        Ok(Purged::default())
    }
}

/// Returns whether the batch is new.
fn insert(connection: &Connection, batch: &Batch, packed: &Packed) -> rusqlite::Result<bool> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO batch (writer, number, day, added, size, content) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
         ON CONFLICT DO NOTHING",
    )?;
    let (id, day, now) = (&batch.id, day::to_number(batch.day), Timestamp::now().as_second());
    let changed =
        statement.execute(params![id.writer, number(id.number), day, now, number(packed.size), packed.bytes])?;
    Ok(changed > 0)
}

/// The bytes of the pages in use.
fn used(connection: &Connection) -> rusqlite::Result<u64> {
    let mut statement = connection.prepare_cached(
        "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, \
         pragma_page_size",
    )?;
    statement.query_row([], |row| count(row, 0))
}
