//! Merges batches within the spool.

use rusqlite::{Connection, TransactionBehavior, params};

use super::{
    content::Packed,
    database::Spool,
    passing::{MOST_BYTES, Unreadable, Waiting, take},
};
use crate::{
    Error,
    file::{count, number},
};

/// Fewer batches are not worth it, unless they have as many bytes as one batch may have. Then this is enough:
/// [`LEAST_LARGE`].
const LEAST: usize = 64;
const LEAST_LARGE: usize = 4;

/// A batch of this size stays as it is, so that a large one is not written again for each small one.
const LARGE: u64 = MOST_BYTES / 4;

/// One batch in the place of several.
#[derive(Debug)]
pub struct Merged {
    packed: Packed,
}

impl Waiting {
    /// Packs the batches as one.
    ///
    /// # Errors
    ///
    /// One of them cannot be read: see [`Spool::put_aside`].
    pub fn pack(&self) -> Result<Merged, Unreadable> {
        self.content().map(|content| Merged { packed: content.pack() })
    }
}

impl Spool {
    /// Batches of one writer and one day that can be one batch, behind those of an attempt. None if it is not worth it.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn next_to_merge(&mut self) -> Result<Option<Waiting>, Error> {
        let found = run(&self.connection)
            .and_then(|run| run.map_or(Ok(None), |(after, last)| take(&self.connection, after, last, u64::MAX)));
        found.map_err(|error| self.failed(&error))
    }

    /// Puts one batch in the place of several.
    ///
    /// # Errors
    ///
    /// The file cannot be written; then nothing is changed.
    pub fn replace(&mut self, batches: &Waiting, merged: &Merged) -> Result<(), Error> {
        let ids = (batches.rows.first().map_or(0, |row| row.id), batches.last_id());
        replace(&mut self.connection, ids, merged).map_err(|error| self.failed(&error))
    }
}

/// The first run of batches that is worth it: the id before it, and its last id.
fn run(connection: &Connection) -> rusqlite::Result<Option<(i64, i64)>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, writer, day, size FROM batch WHERE id > (SELECT ifnull(attempt, 0) FROM spool) ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    let mut run = Run::default();
    while let Some(row) = rows.next()? {
        let (id, of, size): (i64, (String, i64), u64) = (row.get(0)?, (row.get(1)?, row.get(2)?), count(row, 3)?);
        let is_full = of == run.of && size <= LARGE && run.bytes + size > MOST_BYTES;
        if is_full || size > LARGE || of != run.of {
            if run.batches >= LEAST || is_full && run.batches >= LEAST_LARGE {
                return Ok(Some((run.after, run.last)));
            }
            run = Run { of, after: if size > LARGE { id } else { id - 1 }, ..Run::default() };
        }
        if size <= LARGE {
            (run.last, run.batches, run.bytes) = (id, run.batches + 1, run.bytes + size);
        }
    }
    Ok((run.batches >= LEAST).then_some((run.after, run.last)))
}

/// Batches in a row.
#[derive(Debug, Default)]
struct Run {
    /// The writer and the day.
    of: (String, i64),
    after: i64,
    last: i64,
    batches: usize,
    bytes: u64,
}

fn replace(connection: &mut Connection, (first, last): (i64, i64), merged: &Merged) -> rusqlite::Result<()> {
    let Packed { bytes, size } = &merged.packed;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute(
        "UPDATE batch SET size = ?3, content = ?4, \
         added = (SELECT min(added) FROM batch AS merged WHERE merged.id BETWEEN ?1 AND ?2) WHERE id = ?2",
        params![first, last, number(*size), bytes],
    )?;
    transaction.execute("DELETE FROM batch WHERE id >= ?1 AND id < ?2", [first, last])?;
    transaction.commit()
}
