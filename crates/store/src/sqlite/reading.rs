//! Reads the store.

use std::path::Path;

use jiff::{Timestamp, civil::Date};
use rusqlite::{Params, Row, params, types::Type};
use tlsrpt_format::datagram::{Failure, PolicyDescription, normalized_domain};

use super::{database::Sqlite, reporter_lock, upkeep};
use crate::{
    Alert, DayCounts, DeliveryState, DomainCounts, Error, FailureCounts, Host, InvalidCounts, PolicyCounts, Reader,
    day,
    file::{count, date, limit_of, timestamp, unreadable},
};

impl Reader for Sqlite {
    fn days(&mut self) -> Result<Vec<DayCounts>, Error> {
        self.rows(
            "SELECT day, events, failed, domains, policies, failures, dropped, last_event, \
             (SELECT ifnull(sum(datagrams), 0) FROM invalid WHERE invalid.day = day.day) FROM day ORDER BY day DESC",
            [],
            day_counts,
        )
    }

    fn invalid(&mut self, day: Date) -> Result<Vec<InvalidCounts>, Error> {
        self.rows(
            "SELECT reason, datagrams FROM invalid WHERE day = ?1 ORDER BY datagrams DESC, reason",
            [day::to_number(day)],
            |row| Ok(InvalidCounts { reason: row.get(0)?, datagrams: count(row, 1)? }),
        )
    }

    fn domains(&mut self, day: Date, after: &str, limit: usize) -> Result<Vec<DomainCounts>, Error> {
        self.rows(
            "SELECT name, events, failed FROM domain JOIN domain_of_day ON domain = id AND day = ?1 \
             WHERE name > ?2 ORDER BY name LIMIT ?3",
            params![day::to_number(day), after, limit_of(limit)],
            domain_counts,
        )
    }

    fn most_failed(&mut self, day: Date, limit: usize) -> Result<Vec<DomainCounts>, Error> {
        self.rows(
            "SELECT name, events, failed FROM domain_of_day JOIN domain ON domain = id \
             WHERE day = ?1 AND failed > 0 ORDER BY failed DESC, name LIMIT ?2",
            params![day::to_number(day), limit_of(limit)],
            domain_counts,
        )
    }

    fn policies(&mut self, day: Date, domain: &str) -> Result<Vec<PolicyCounts>, Error> {
        let day = day::to_number(day);
        let found = self.rows(
            "SELECT record.content, policy.content, succeeded, failed, domain, record, policy \
             FROM sessions JOIN record ON record = record.id JOIN policy ON policy = policy.id \
             WHERE day = ?1 AND domain = (SELECT id FROM domain WHERE name = ?2) ORDER BY record, policy",
            params![day, normalized_domain(domain)],
            |row| Ok((policy_counts(row)?, [row.get::<_, i64>(4)?, row.get(5)?, row.get(6)?])),
        )?;
        let with_failures = found.into_iter().map(|(counts, [domain, record, policy])| {
            let failures = self.rows(
                "SELECT times, content FROM failures JOIN failure ON failure = id \
                 WHERE day = ?1 AND domain = ?2 AND record = ?3 AND policy = ?4 ORDER BY times DESC, id",
                [day, domain, record, policy],
                failure_counts,
            )?;
            Ok(PolicyCounts { failures, ..counts })
        });
        with_failures.collect()
    }

    fn delivery_counts(&mut self, day: Date) -> Result<Vec<(DeliveryState, u64)>, Error> {
        self.rows(
            "SELECT state, count(*) FROM delivery JOIN report ON report = report.id WHERE day = ?1 GROUP BY state",
            [day::to_number(day)],
            |row| Ok((state(row, 0)?, count(row, 1)?)),
        )
    }

    fn report_count(&mut self, day: Date) -> Result<u64, Error> {
        let found =
            self.rows("SELECT count(*) FROM report WHERE day = ?1", [day::to_number(day)], |row| count(row, 0))?;
        Ok(found.into_iter().sum())
    }

    fn last_event(&mut self) -> Result<Option<Timestamp>, Error> {
        let last = self.rows("SELECT max(last_event) FROM day", [], |row| timestamp(row, 0))?;
        Ok(last.into_iter().flatten().next())
    }

    fn has_reporter(&mut self) -> Result<bool, Error> {
        reporter_lock::is_held(&self.path)
    }

    fn hosts(&mut self) -> Result<Vec<Host>, Error> {
        Ok(Vec::new())
    }

    fn alerts(&mut self) -> Result<Vec<Alert>, Error> {
        self.all_alerts()
    }

    fn size(&mut self) -> Result<u64, Error> {
        let size = |name: &Path| std::fs::metadata(name).map(|metadata| metadata.len()).unwrap_or_default();
        let beside = |ending: &str| {
            let mut name = self.path.clone().into_os_string();
            name.push(ending);
            size(name.as_ref())
        };
        Ok(size(&self.path) + beside("-wal") + beside("-shm"))
    }

    fn check(&mut self) -> Result<Vec<String>, Error> {
        upkeep::check(&self.connection).map_err(|error| self.failed(&error))
    }
}

impl Sqlite {
    pub(super) fn rows<T>(
        &self,
        query: &str,
        parameters: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, Error> {
        let read_all = || {
            let mut statement = self.connection.prepare_cached(query)?;
            let rows = statement.query_map(parameters, read)?;
            rows.collect::<rusqlite::Result<_>>()
        };
        read_all().map_err(|error| self.failed(&error))
    }
}

/// A state of a delivery.
pub(super) fn state(row: &Row<'_>, column: usize) -> rusqlite::Result<DeliveryState> {
    let name: String = row.get(column)?;
    DeliveryState::from_name(&name).ok_or_else(|| unreadable(column, Type::Text))
}

fn day_counts(row: &Row<'_>) -> rusqlite::Result<DayCounts> {
    Ok(DayCounts {
        day: date(row, 0)?,
        events: count(row, 1)?,
        failed: count(row, 2)?,
        domains: count(row, 3)?,
        policies: count(row, 4)?,
        failures: count(row, 5)?,
        dropped: count(row, 6)?,
        last_event: timestamp(row, 7)?,
        invalid: count(row, 8)?,
    })
}

fn domain_counts(row: &Row<'_>) -> rusqlite::Result<DomainCounts> {
    Ok(DomainCounts { domain: row.get(0)?, events: count(row, 1)?, failed: count(row, 2)? })
}

pub(super) fn policy_counts(row: &Row<'_>) -> rusqlite::Result<PolicyCounts> {
    let content: Option<String> = row.get(1)?;
    let policy =
        content.map(|text| PolicyDescription::from_json(&text).map_err(|_| unreadable(1, Type::Text))).transpose()?;
    Ok(PolicyCounts {
        record: row.get(0)?,
        policy,
        succeeded: count(row, 2)?,
        failed: count(row, 3)?,
        failures: Vec::new(),
    })
}

pub(super) fn failure_counts(row: &Row<'_>) -> rusqlite::Result<FailureCounts> {
    let content: Option<String> = row.get(1)?;
    let failure = content.map(|text| Failure::from_json(&text).map_err(|_| unreadable(1, Type::Text))).transpose()?;
    Ok(FailureCounts { failure, times: count(row, 0)? })
}
