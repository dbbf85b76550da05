//! The reports that others sent, in the database.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params, types::Type};

use super::{adding::size, database::Sqlite};
use crate::{
    Error, Kept, NewReceived, ReceivedFailure, ReceivedFilter, ReceivedLimits, ReceivedReader, ReceivedReport,
    ReceivedStore, ReceivedSum, day,
    file::{count, date, limit_of, number, timestamp, unreadable},
    received_row::{Row, key, row},
};

/// The condition for a filter in the first three parameters.
const OF_FILTER: &str = "r.day BETWEEN ?1 AND ?2 AND (?3 IS NULL OR d.domain = ?3)";

impl ReceivedReader for Sqlite {
    fn received(&mut self, organization: &str, report_id: &str) -> Result<Vec<ReceivedReport>, Error> {
        self.rows(
            "SELECT day, arrived, signature, compressed FROM received WHERE key = ?1 ORDER BY id",
            [key(organization, report_id)],
            |row| {
                Ok(ReceivedReport {
                    day: date(row, 0)?,
                    arrived: moment(row, 1)?,
                    signature: row.get(2)?,
                    compressed: row.get(3)?,
                })
            },
        )
    }

    fn received_ids(&mut self, filter: &ReceivedFilter, limit: usize) -> Result<Vec<(String, String)>, Error> {
        let ReceivedFilter { domain, first, last } = filter;
        let query = format!(
            "SELECT r.organization, r.report_id FROM received AS r \
             WHERE EXISTS (SELECT 1 FROM received_domain AS d WHERE d.received = r.id AND {OF_FILTER}) \
             ORDER BY r.day DESC, r.organization, r.id LIMIT ?4"
        );
        let parameters = params![day::to_number(*first), day::to_number(*last), domain, limit_of(limit)];
        self.rows(&query, parameters, |row| Ok((row.get(0)?, row.get(1)?)))
    }

    fn received_sums(&mut self, filter: &ReceivedFilter, limit: usize) -> Result<Vec<ReceivedSum>, Error> {
        let ReceivedFilter { domain, first, last } = filter;
        let query = format!(
            "SELECT r.day, d.domain, r.organization, cast(min(total(d.succeeded), 9e18) AS INTEGER), \
             cast(min(total(d.failed), 9e18) AS INTEGER), max(r.arrived) \
             FROM received AS r JOIN received_domain AS d ON d.received = r.id WHERE {OF_FILTER} \
             GROUP BY r.day, d.domain, r.organization ORDER BY r.day DESC, d.domain, r.organization LIMIT ?4"
        );
        let parameters = params![day::to_number(*first), day::to_number(*last), domain, limit_of(limit)];
        self.rows(&query, parameters, |row| {
            Ok(ReceivedSum {
                day: date(row, 0)?,
                domain: row.get(1)?,
                organization: row.get(2)?,
                succeeded: count(row, 3)?,
                failed: count(row, 4)?,
                arrived: moment(row, 5)?,
            })
        })
    }

    fn received_failures(&mut self, filter: &ReceivedFilter, limit: usize) -> Result<Vec<ReceivedFailure>, Error> {
        let ReceivedFilter { domain, first, last } = filter;
        let query = format!(
            "SELECT r.day, d.domain, r.organization, d.result_type, cast(min(total(d.sessions), 9e18) AS INTEGER) \
             FROM received AS r JOIN received_failure AS d ON d.received = r.id WHERE {OF_FILTER} \
             GROUP BY r.day, d.domain, r.organization, d.result_type \
             ORDER BY r.day DESC, d.domain, r.organization, d.result_type LIMIT ?4"
        );
        let parameters = params![day::to_number(*first), day::to_number(*last), domain, limit_of(limit)];
        self.rows(&query, parameters, |row| {
            Ok(ReceivedFailure {
                day: date(row, 0)?,
                domain: row.get(1)?,
                organization: row.get(2)?,
                result_type: row.get(3)?,
                sessions: count(row, 4)?,
            })
        })
    }
}

impl ReceivedStore for Sqlite {
    fn keep_received(&mut self, report: &NewReceived, limits: ReceivedLimits) -> Result<Kept, Error> {
        let largest = self.options.limits.size;
        let row = row(report).map_err(|error| Error::new(crate::ErrorKind::Other, error.to_string()))?;
        self.write(|transaction| keep(transaction, report, &row, limits, largest))
    }

    fn purge_received(&mut self, first: Timestamp) -> Result<u64, Error> {
        self.write(|transaction| {
            let removed = transaction.execute(
                "DELETE FROM received WHERE arrived < ?1 AND EXISTS (SELECT 1 FROM received WHERE arrived >= ?1)",
                [first.as_second()],
            )?;
            Ok(removed as u64)
        })
    }
}

fn keep(
    transaction: &Transaction<'_>,
    report: &NewReceived,
    row: &Row,
    limits: ReceivedLimits,
    largest: u64,
) -> rusqlite::Result<Kept> {
    let same: Option<bool> = transaction
        .query_row("SELECT max(hash = ?2) FROM received WHERE key = ?1", params![row.key, row.content], |row| {
            row.get(0)
        })
        .optional()?
        .flatten();
    if same == Some(true) {
        return Ok(Kept::Again);
    }
    let (reports, bytes): (u64, u64) =
        transaction.query_row("SELECT count(*), ifnull(sum(bytes), 0) FROM received", [], |row| {
            Ok((count(row, 0)?, count(row, 1)?))
        })?;
    if reports >= limits.reports || bytes.saturating_add(row.bytes) > limits.bytes || size(transaction)? >= largest {
        return Ok(Kept::Full);
    }
    insert(transaction, report, row)?;
    Ok(if same.is_some() { Kept::Beside } else { Kept::New })
}

fn insert(transaction: &Transaction<'_>, report: &NewReceived, row: &Row) -> rusqlite::Result<()> {
    let NewReceived { organization, report_id, day, arrived, signature, counts, .. } = report;
    transaction.execute(
        "INSERT INTO received (key, hash, organization, report_id, day, arrived, signature, bytes, compressed) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            row.key,
            row.content,
            organization,
            report_id,
            day::to_number(*day),
            arrived.as_second(),
            signature,
            number(row.bytes),
            row.compressed
        ],
    )?;
    let id = transaction.last_insert_rowid();
    let mut domain = transaction
        .prepare_cached("INSERT INTO received_domain (received, domain, succeeded, failed) VALUES (?1, ?2, ?3, ?4)")?;
    let mut failure = transaction.prepare_cached(
        "INSERT INTO received_failure (received, domain, result_type, sessions) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for counts in counts {
        domain.execute(params![id, counts.domain, number(counts.succeeded), number(counts.failed)])?;
        for (result_type, sessions) in &counts.failures {
            failure.execute(params![id, counts.domain, result_type, number(*sessions)])?;
        }
    }
    Ok(())
}

fn moment(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    timestamp(row, column)?.ok_or_else(|| unreadable(column, Type::Null))
}
