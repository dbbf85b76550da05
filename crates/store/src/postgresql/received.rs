//! The reports that others sent, in the tables.

use jiff::Timestamp;

use super::{
    columns::{count, date, limit_of, number, timestamp},
    database::Postgresql,
    failure::Failed,
    link::Link,
    server_text::{name, without_nul},
};
use crate::{
    Error, Kept, NewReceived, ReceivedFailure, ReceivedFilter, ReceivedLimits, ReceivedReader, ReceivedReport,
    ReceivedStore, ReceivedSum, day,
    received_row::{Row, key, row},
};

/// The condition for a filter in the first three parameters.
const OF_FILTER: &str = "r.day BETWEEN $1 AND $2 AND ($3::text IS NULL OR d.domain = $3)";
/// Identifies the lock under which one process at a time keeps a report: "RCVD" in ASCII.
const KEEPING_LOCK: i64 = 0x5243_5644;

impl ReceivedReader for Postgresql {
    fn received(&mut self, organization: &str, report_id: &str) -> Result<Vec<ReceivedReport>, Error> {
        let key = key(organization, report_id);
        self.read(
            "SELECT day, arrived, signature, compressed FROM received WHERE key = $1 ORDER BY id",
            &[&key.as_slice()],
            |row| {
                Ok(ReceivedReport {
                    day: date(row, 0)?,
                    arrived: moment(row, 1)?,
                    signature: row.try_get(2)?,
                    compressed: row.try_get(3)?,
                })
            },
        )
    }

    fn received_ids(&mut self, filter: &ReceivedFilter, limit: usize) -> Result<Vec<(String, String)>, Error> {
        let ReceivedFilter { domain, first, last } = filter;
        let query = format!(
            "SELECT r.organization, r.report_id FROM received AS r \
             WHERE EXISTS (SELECT 1 FROM received_domain AS d WHERE d.received = r.id AND {OF_FILTER}) \
             ORDER BY r.day DESC, r.organization, r.id LIMIT $4"
        );
        let (first, last) = (day::to_number(*first), day::to_number(*last));
        self.read(&query, &[&first, &last, domain, &limit_of(limit)], |row| Ok((row.try_get(0)?, row.try_get(1)?)))
    }

    fn received_sums(&mut self, filter: &ReceivedFilter, limit: usize) -> Result<Vec<ReceivedSum>, Error> {
        let ReceivedFilter { domain, first, last } = filter;
        let query = format!(
            "SELECT r.day, d.domain, r.organization, least(sum(d.succeeded), 9000000000000000000)::bigint, \
             least(sum(d.failed), 9000000000000000000)::bigint, max(r.arrived) \
             FROM received AS r JOIN received_domain AS d ON d.received = r.id WHERE {OF_FILTER} \
             GROUP BY r.day, d.domain, r.organization ORDER BY r.day DESC, d.domain, r.organization LIMIT $4"
        );
        let (first, last) = (day::to_number(*first), day::to_number(*last));
        self.read(&query, &[&first, &last, domain, &limit_of(limit)], |row| {
            Ok(ReceivedSum {
                day: date(row, 0)?,
                domain: row.try_get(1)?,
                organization: row.try_get(2)?,
                succeeded: count(row, 3)?,
                failed: count(row, 4)?,
                arrived: moment(row, 5)?,
            })
        })
    }

    fn received_failures(&mut self, filter: &ReceivedFilter, limit: usize) -> Result<Vec<ReceivedFailure>, Error> {
        let ReceivedFilter { domain, first, last } = filter;
        let query = format!(
            "SELECT r.day, d.domain, r.organization, d.result_type, \
             least(sum(d.sessions), 9000000000000000000)::bigint \
             FROM received AS r JOIN received_failure AS d ON d.received = r.id WHERE {OF_FILTER} \
             GROUP BY r.day, d.domain, r.organization, d.result_type \
             ORDER BY r.day DESC, d.domain, r.organization, d.result_type LIMIT $4"
        );
        let (first, last) = (day::to_number(*first), day::to_number(*last));
        self.read(&query, &[&first, &last, domain, &limit_of(limit)], |row| {
            Ok(ReceivedFailure {
                day: date(row, 0)?,
                domain: row.try_get(1)?,
                organization: row.try_get(2)?,
                result_type: row.try_get(3)?,
                sessions: count(row, 4)?,
            })
        })
    }
}

impl ReceivedStore for Postgresql {
    fn keep_received(&mut self, report: &NewReceived, limits: ReceivedLimits) -> Result<Kept, Error> {
        let row = row(report).map_err(|error| Error::new(crate::ErrorKind::Other, error.to_string()))?;
        self.write(|link| keep(link, report, &row, limits))
    }

    fn purge_received(&mut self, first: Timestamp) -> Result<u64, Error> {
        self.write(|link| {
            link.execute(
                "DELETE FROM received WHERE arrived < $1 AND EXISTS (SELECT 1 FROM received WHERE arrived >= $1)",
                &[&first.as_second()],
            )
        })
    }
}

fn keep(link: &mut Link, report: &NewReceived, row: &Row, limits: ReceivedLimits) -> Result<Kept, Failed> {
    link.execute("SELECT pg_advisory_xact_lock($1)", &[&KEEPING_LOCK])?;
    let found = link.row(
        "SELECT bool_or(hash = $2) FROM received WHERE key = $1",
        &[&row.key.as_slice(), &row.content.as_slice()],
    )?;
    let same: Option<bool> = found.map(|row| row.try_get(0)).transpose()?.flatten();
    if same == Some(true) {
        return Ok(Kept::Again);
    }
    let sums = link.row("SELECT count(*), coalesce(sum(bytes), 0)::bigint FROM received", &[])?;
    let (reports, bytes) = match &sums {
        Some(sums) => (count(sums, 0)?, count(sums, 1)?),
        None => (0, 0),
    };
    if reports >= limits.reports || bytes.saturating_add(row.bytes) > limits.bytes {
        return Ok(Kept::Full);
    }
    insert(link, report, row)?;
    Ok(if same.is_some() { Kept::Beside } else { Kept::New })
}

fn insert(link: &mut Link, report: &NewReceived, row: &Row) -> Result<(), Failed> {
    let NewReceived { organization, report_id, day, arrived, signature, counts, .. } = report;
    let inserted = link.row(
        "INSERT INTO received (key, hash, organization, report_id, day, arrived, signature, bytes, compressed) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id",
        &[
            &row.key.as_slice(),
            &row.content.as_slice(),
            &&*without_nul(organization),
            &&*without_nul(report_id),
            &day::to_number(*day),
            &arrived.as_second(),
            &&*without_nul(signature),
            &number(row.bytes),
            &row.compressed,
        ],
    )?;
    let id: i64 = inserted.ok_or_else(|| Failed::unreadable("id"))?.try_get(0)?;
    for counts in counts {
        let domain = name(counts.domain.clone());
        link.execute(
            "INSERT INTO received_domain (received, domain, succeeded, failed) VALUES ($1, $2, $3, $4)",
            &[&id, &domain, &number(counts.succeeded), &number(counts.failed)],
        )?;
        for (result_type, sessions) in &counts.failures {
            link.execute(
                "INSERT INTO received_failure (received, domain, result_type, sessions) VALUES ($1, $2, $3, $4)",
                &[&id, &domain, result_type, &number(*sessions)],
            )?;
        }
    }
    Ok(())
}

fn moment(row: &tokio_postgres::Row, column: usize) -> Result<Timestamp, Failed> {
    timestamp(row, column)?.ok_or_else(|| Failed::unreadable("arrived"))
}
