//! The counters in a database of tlsrpt-collectd.

use jiff::{Timestamp, civil::Date};
use rusqlite::params;
use sha2::{Digest, Sha256};

use crate::{
    database::{Database, count, moment, text},
    error::Error,
};

/// The most rows, and the most failures under them, that are read at once.
const ROWS_AT_ONCE: i64 = 500;
const FAILURES_AT_ONCE: usize = 10_000;

/// A day in a database.
#[derive(Debug)]
pub(crate) struct Counted {
    pub(crate) day: Date,
    /// Sessions under all policies.
    pub(crate) sessions: u64,
    /// The latest moment at which a row was made.
    pub(crate) last: Option<Timestamp>,
    /// Tells the counters of this file about this day from all others.
    pub(crate) identity: String,
}

/// The sessions under a policy, and their failures.
#[derive(Debug, Default)]
pub(crate) struct PolicyRow {
    pub(crate) number: i64,
    pub(crate) domain: String,
    pub(crate) record: String,
    pub(crate) policy: String,
    pub(crate) sessions: u64,
    pub(crate) failed: u64,
    /// The JSON of each failure and its number.
    pub(crate) failures: Vec<(String, u64)>,
}

/// Rows that are read at once, and the number of the last one, behind which the next begin.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) rows: Vec<PolicyRow>,
    pub(crate) last: i64,
}

/// The days in the database, the oldest first.
pub(crate) fn days(database: &Database) -> Result<Vec<Counted>, Error> {
    let found = database.rows(
        "SELECT day, sum(cntrtotal), max(its), min(rowid) FROM finalresults GROUP BY day ORDER BY day",
        [],
        |row| Ok((text(row, 0)?, count(row, 1)?, text(row, 2)?, row.get::<_, i64>(3)?)),
    )?;
    let days = found.into_iter().map(|(day, sessions, last, first)| {
        let identity = format!("{} {} {day} {}", database.writer.name(), database.made, first_row(database, first)?);
        Ok(Counted { day: database.day(&day)?, sessions, last: moment(&last), identity })
    });
    days.collect()
}

/// The first half of a hash of what does not change in a row. Two hosts may make their files in the same millisecond.
fn first_row(database: &Database, number: i64) -> Result<String, Error> {
    const BYTES: usize = 16;
    let query = "SELECT domain, tlsrptrecord, policy, its FROM finalresults WHERE rowid = ?1";
    let mut hash = Sha256::new();
    for part in
        database.rows(query, [number], |row| Ok([text(row, 0)?, text(row, 1)?, text(row, 2)?, text(row, 3)?]))?
    {
        part.iter().for_each(|text| hash.update(text.as_bytes()));
    }
    Ok(hash.finalize().iter().take(BYTES).map(|byte| format!("{byte:02x}")).collect())
}

/// The next rows of a day behind the one with this number. The same rows each time, as long as the database does not change.
pub(crate) fn chunk(database: &Database, day: Date, after: i64) -> Result<Chunk, Error> {
    let day = day.to_string();
    let mut rows = database.rows(
        "SELECT rowid, domain, tlsrptrecord, policy, cntrtotal, cntrfailure FROM finalresults NOT INDEXED \
         WHERE rowid > ?1 AND day = ?2 ORDER BY rowid LIMIT ?3",
        params![after, day, ROWS_AT_ONCE],
        |row| {
            Ok(PolicyRow {
                number: row.get(0)?,
                domain: text(row, 1)?,
                record: text(row, 2)?,
                policy: text(row, 3)?,
                sessions: count(row, 4)?,
                failed: count(row, 5)?,
                failures: Vec::new(),
            })
        },
    )?;
    let mut failures = 0;
    let mut complete = 0;
    for row in &mut rows {
        row.failures = database.rows(
            "SELECT reason, cntr FROM failures WHERE day = ?1 AND domain = ?2 AND tlsrptrecord = ?3 AND policy = ?4 \
             ORDER BY reason",
            params![day, row.domain, row.record, row.policy],
            |row| Ok((text(row, 0)?, count(row, 1)?)),
        )?;
        failures += row.failures.len();
        complete += 1;
        if failures >= FAILURES_AT_ONCE {
            break;
        }
    }
    rows.truncate(complete);
    Ok(Chunk { last: rows.last().map_or(after, |row| row.number), rows })
}

/// Whether the database has counters of a domain on a day.
pub(crate) fn has(database: &Database, day: Date, domain: &str) -> Result<bool, Error> {
    let query = "SELECT 1 FROM finalresults WHERE day = ?1 AND domain = ?2 LIMIT 1";
    Ok(!database.rows(query, params![day.to_string(), domain], |_| Ok(()))?.is_empty())
}
