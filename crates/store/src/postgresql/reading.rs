//! Reads the store.

use jiff::{SignedDuration, Timestamp, civil::Date};
use tlsrpt_format::datagram::normalized_domain;
use tokio_postgres::Row;

use super::{
    columns::{count, date, failure_counts, limit_of, policy, state, timestamp},
    database::Postgresql,
    failure::Failed,
    link::Parameters,
    upkeep,
};
use crate::{
    Alert, DayCounts, DeliveryState, DomainCounts, Error, Host, HostState, InvalidCounts, PolicyCounts, Reader, day,
};

impl Reader for Postgresql {
    fn days(&mut self) -> Result<Vec<DayCounts>, Error> {
        self.read(
            "SELECT day, events, failed, domains, policies, failures, dropped, last_event, \
             (SELECT coalesce(sum(datagrams), 0)::bigint FROM invalid WHERE invalid.day = day.day) FROM day \
             ORDER BY day DESC",
            &[],
            day_counts,
        )
    }

    fn invalid(&mut self, day: Date) -> Result<Vec<InvalidCounts>, Error> {
        self.read(
            "SELECT reason, datagrams FROM invalid WHERE day = $1 ORDER BY datagrams DESC, reason",
            &[&day::to_number(day)],
            |row| Ok(InvalidCounts { reason: row.try_get(0)?, datagrams: count(row, 1)? }),
        )
    }

    fn domains(&mut self, day: Date, after: &str, limit: usize) -> Result<Vec<DomainCounts>, Error> {
        self.read(
            "SELECT name, events, failed FROM domain JOIN domain_of_day ON domain = id AND day = $1 \
             WHERE name > $2 ORDER BY name LIMIT $3",
            &[&day::to_number(day), &after, &limit_of(limit)],
            domain_counts,
        )
    }

    fn most_failed(&mut self, day: Date, limit: usize) -> Result<Vec<DomainCounts>, Error> {
        self.read(
            "SELECT name, events, failed FROM domain_of_day JOIN domain ON domain = id \
             WHERE day = $1 AND failed > 0 ORDER BY failed DESC, name LIMIT $2",
            &[&day::to_number(day), &limit_of(limit)],
            domain_counts,
        )
    }

    fn policies(&mut self, day: Date, domain: &str) -> Result<Vec<PolicyCounts>, Error> {
        let day = day::to_number(day);
        let found = self.read(
            "SELECT record.content, policy.content, succeeded, failed, domain, record, policy \
             FROM sessions JOIN record ON record = record.id JOIN policy ON policy = policy.id \
             WHERE day = $1 AND domain = (SELECT id FROM domain WHERE name = $2) ORDER BY record, policy",
            &[&day, &normalized_domain(domain)],
            |row| Ok((policy_counts(row, 0)?, [row.try_get::<_, i64>(4)?, row.try_get(5)?, row.try_get(6)?])),
        )?;
        let with_failures = found.into_iter().map(|(counts, [domain, record, policy])| {
            let failures = self.read(
                "SELECT times, content FROM failures JOIN failure ON failure = id \
                 WHERE day = $1 AND domain = $2 AND record = $3 AND policy = $4 ORDER BY times DESC, id",
                &[&day, &domain, &record, &policy],
                |row| failure_counts(row, 0),
            )?;
            Ok(PolicyCounts { failures, ..counts })
        });
        with_failures.collect()
    }

    fn delivery_counts(&mut self, day: Date) -> Result<Vec<(DeliveryState, u64)>, Error> {
        self.read(
            "SELECT state, count(*) FROM delivery JOIN report ON report = report.id WHERE day = $1 GROUP BY state",
            &[&day::to_number(day)],
            |row| Ok((state(row, 0)?, count(row, 1)?)),
        )
    }

    fn report_count(&mut self, day: Date) -> Result<u64, Error> {
        self.count("SELECT count(*) FROM report WHERE day = $1", &[&day::to_number(day)])
    }

    fn last_event(&mut self) -> Result<Option<Timestamp>, Error> {
        let last = self.read("SELECT max(last_event) FROM day", &[], |row| timestamp(row, 0))?;
        Ok(last.into_iter().flatten().next())
    }

    fn has_reporter(&mut self) -> Result<bool, Error> {
        Ok(self.count("SELECT count(*) FROM reporter WHERE works_until >= server_time()", &[])? > 0)
    }

    fn hosts(&mut self) -> Result<Vec<Host>, Error> {
        self.read(
            "SELECT name, host_time, checked_in, clock_difference, complete_before, last_batch, spool_batches, spool_bytes, \
             server_time() - checked_in FROM host ORDER BY name COLLATE \"C\"",
            &[],
            host,
        )
    }

    fn alerts(&mut self) -> Result<Vec<Alert>, Error> {
        self.all_alerts()
    }

    fn size(&mut self) -> Result<u64, Error> {
        self.count(
            "SELECT coalesce(sum(pg_total_relation_size(pg_class.oid)), 0)::bigint FROM pg_class \
             JOIN pg_namespace ON relnamespace = pg_namespace.oid WHERE nspname = 'tlsrpt' AND relkind = 'r'",
            &[],
        )
    }

    fn check(&mut self) -> Result<Vec<String>, Error> {
        self.write(upkeep::check)
    }
}

impl Postgresql {
    pub(super) fn read<T>(
        &mut self,
        query: &str,
        parameters: Parameters<'_>,
        read: impl FnMut(&Row) -> Result<T, Failed>,
    ) -> Result<Vec<T>, Error> {
        self.on_link(|link| link.rows(query, parameters)?.iter().map(read).collect())
    }

    pub(super) fn count(&mut self, query: &str, parameters: Parameters<'_>) -> Result<u64, Error> {
        Ok(self.read(query, parameters, |row| count(row, 0))?.into_iter().sum())
    }
}

/// From the record, the policy, and both sums in this column and those behind it.
pub(super) fn policy_counts(row: &Row, column: usize) -> Result<PolicyCounts, Failed> {
    Ok(PolicyCounts {
        record: row.try_get(column)?,
        policy: policy(row, column + 1)?,
        succeeded: count(row, column + 2)?,
        failed: count(row, column + 3)?,
        failures: Vec::new(),
    })
}

fn day_counts(row: &Row) -> Result<DayCounts, Failed> {
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

fn domain_counts(row: &Row) -> Result<DomainCounts, Failed> {
    Ok(DomainCounts { domain: row.try_get(0)?, events: count(row, 1)?, failed: count(row, 2)? })
}

fn host(row: &Row) -> Result<Host, Failed> {
    Ok(Host {
        state: HostState {
            name: row.try_get(0)?,
            now: timestamp(row, 1)?.unwrap_or_default(),
            complete_before: date(row, 4)?,
            last_batch: timestamp(row, 5)?,
            spool_batches: count(row, 6)?,
            spool_bytes: count(row, 7)?,
        },
        checked_in: timestamp(row, 2)?.unwrap_or_default(),
        silent_for: SignedDuration::from_secs(row.try_get(8)?),
        clock_difference: SignedDuration::from_millis(row.try_get(3)?),
    })
}
