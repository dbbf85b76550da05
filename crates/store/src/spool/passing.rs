//! Takes the oldest batches for the shared store, and removes those that it has.

use jiff::civil::Date;
use rusqlite::{Connection, TransactionBehavior, params};

use super::{content::Content, database::Spool};
use crate::{
    Batch, BatchId, Error, Synchronous,
    file::{count, date, number},
};

/// The most bytes of contents, before their compression, that are taken at once, unless one batch alone has more. A
/// parsed event takes several times as much memory.
pub(super) const MOST_BYTES: u64 = 2 << 20;

/// The most free pages that one removal returns to the file system, so that a batch that arrives waits only for a
/// moment.
const PAGES_AT_ONCE: u64 = 1024;

/// Batches of one writer and one day, in order.
#[derive(Debug)]
pub struct Waiting {
    pub(super) writer: String,
    pub(super) day: Date,
    pub(super) rows: Vec<Row>,
}

/// A batch in the file.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: i64,
    pub(super) number: u64,
    pub(super) size: u64,
    pub(super) content: Vec<u8>,
}

/// A batch that cannot be read.
#[derive(Debug)]
pub struct Unreadable {
    id: i64,
    /// Why.
    pub reason: String,
}

impl Waiting {
    /// The process that made the batches.
    #[must_use]
    pub fn writer(&self) -> &str {
        &self.writer
    }

    /// Their day.
    #[must_use]
    pub fn day(&self) -> Date {
        self.day
    }

    /// The number of batches.
    #[must_use]
    pub fn batches(&self) -> usize {
        self.rows.len()
    }

    /// Makes one batch of them, with the number of the last one. Equal events are one event.
    ///
    /// # Errors
    ///
    /// One of them cannot be read: see [`Spool::put_aside`].
    pub fn merge(&self) -> Result<Batch, Unreadable> {
        let content = self.content()?;
        let last = self.rows.last();
        // The checksum of each content is right, so none of the texts is other than this program wrote it.
        let unreadable = |reason| Unreadable { id: last.map_or(0, |row| row.id), reason };
        let parts = content.into_parts().map_err(unreadable)?;
        Ok(Batch {
            id: BatchId { writer: self.writer.clone(), number: last.map_or(0, |row| row.number) },
            day: self.day,
            last_event: parts.last_event,
            events: parts.events,
            invalid: parts.invalid,
            dropped: parts.dropped,
        })
    }

    pub(super) fn content(&self) -> Result<Content, Unreadable> {
        let mut content = Content::default();
        for Row { id, size, content: packed, .. } in &self.rows {
            content.unpack(packed, *size).map_err(|reason| Unreadable { id: *id, reason })?;
        }
        Ok(content)
    }

    pub(super) fn last_id(&self) -> i64 {
        self.rows.last().map_or(0, |row| row.id)
    }
}

impl Spool {
    /// The batches of the last attempt, if they are still here. Otherwise the oldest batches; then they are the batches of
    /// the next attempt, also after a power cut. None if the spool is empty.
    ///
    /// # Errors
    ///
    /// The file cannot be read or written.
    pub fn oldest(&mut self) -> Result<Option<Waiting>, Error> {
        let found = oldest(&self.connection, self.options.synchronous);
        found.map_err(|error| self.failed(&error))
    }

    /// Removes batches that the store has.
    ///
    /// # Errors
    ///
    /// Nothing was removed, or the outcome is unknown. The store recognizes the batches when they are added again.
    pub fn remove(&mut self, passed: &Waiting) -> Result<(), Error> {
        let removed = remove(&mut self.connection, passed.last_id());
        removed.and_then(|()| shrink(&self.connection)).map_err(|error| self.failed(&error))
    }

    /// Removes the batches of a writer up to a number, because the store has them. Returns how many there were.
    ///
    /// # Errors
    ///
    /// As [`Self::remove`].
    pub fn remove_known(&mut self, writer: &str, last: u64) -> Result<usize, Error> {
        let remove = || {
            let mut statement =
                self.connection.prepare_cached("DELETE FROM batch WHERE writer = ?1 AND number <= ?2")?;
            statement.execute(params![writer, number(last)])
        };
        remove().map_err(|error| self.failed(&error))
    }

    /// Moves a batch that cannot be read to the table `unreadable`, so that the others can be passed on.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn put_aside(&mut self, batch: &Unreadable) -> Result<(), Error> {
        put_aside(&mut self.connection, batch.id).map_err(|error| self.failed(&error))
    }
}

fn oldest(connection: &Connection, synchronous: Synchronous) -> rusqlite::Result<Option<Waiting>> {
    let attempt: Option<i64> =
        connection.prepare_cached("SELECT attempt FROM spool")?.query_row([], |row| row.get(0))?;
    if let Some(last) = attempt {
        let again = take(connection, 0, last, u64::MAX)?;
        if again.is_some() {
            return Ok(again);
        }
    }
    let Some(waiting) = take(connection, 0, i64::MAX, MOST_BYTES)? else { return Ok(None) };
    // Without this, a power cut could undo it, and the next attempt could have more batches.
    if synchronous == Synchronous::Normal {
        connection.pragma_update(None, "synchronous", "full")?;
    }
    let kept = connection.prepare_cached("UPDATE spool SET attempt = ?1")?.execute([waiting.last_id()]);
    if synchronous == Synchronous::Normal {
        connection.pragma_update(None, "synchronous", "normal")?;
    }
    kept.map(|_| Some(waiting))
}

/// The first batches of one writer and one day after one id and up to another.
pub(super) fn take(connection: &Connection, after: i64, last: i64, bytes: u64) -> rusqlite::Result<Option<Waiting>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, number, size, content, writer, day FROM batch WHERE id > ?1 AND id <= ?2 ORDER BY id",
    )?;
    let mut rows = statement.query([after, last])?;
    let mut waiting: Option<Waiting> = None;
    let mut taken = 0_u64;
    while let Some(row) = rows.next()? {
        let (writer, day, size): (String, Date, u64) = (row.get(4)?, date(row, 5)?, count(row, 2)?);
        taken = taken.saturating_add(size);
        let first = waiting.is_none();
        let waiting = waiting.get_or_insert_with(|| Waiting { writer: writer.clone(), day, rows: Vec::new() });
        if !first && (waiting.writer != writer || waiting.day != day || taken > bytes) {
            break;
        }
        // Of whatever type: what is not bytes that this program wrote is put aside.
        let content = row.get_ref(3)?.as_bytes_or_null().ok().flatten().unwrap_or_default().to_vec();
        waiting.rows.push(Row { id: row.get(0)?, number: count(row, 1)?, size, content });
    }
    Ok(waiting)
}

fn remove(connection: &mut Connection, last: i64) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.prepare_cached("DELETE FROM batch WHERE id <= ?1")?.execute([last])?;
    transaction.prepare_cached("UPDATE spool SET attempt = NULL")?.execute([])?;
    transaction.commit()
}

/// Returns free pages to the file system when most pages are free.
fn shrink(connection: &Connection) -> rusqlite::Result<()> {
    let mut pages =
        connection.prepare_cached("SELECT page_count, freelist_count FROM pragma_page_count, pragma_freelist_count")?;
    let (all, free) = pages.query_row([], |row| Ok((count(row, 0)?, count(row, 1)?)))?;
    if free > PAGES_AT_ONCE && free > all / 2 {
        // It returns a page with each row.
        let mut shrink = connection.prepare(&format!("PRAGMA incremental_vacuum({PAGES_AT_ONCE})"))?;
        let mut rows = shrink.query([])?;
        while rows.next()?.is_some() {}
    }
    Ok(())
}

fn put_aside(connection: &mut Connection, id: i64) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let copied = transaction.execute(
        "INSERT INTO unreadable (id, writer, number, day, added, size, content) \
         SELECT id, writer, number, day, added, size, content FROM batch WHERE id = ?1",
        [id],
    )?;
    if copied > 0 {
        transaction.execute("DELETE FROM batch WHERE id = ?1", [id])?;
    }
    transaction.commit()
}
