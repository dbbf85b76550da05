//! Domains whose sessions have begun to fail, in the database.

use jiff::{SignedDuration, Timestamp, civil::Date};
use tokio_postgres::Row;

use super::{
    columns::{count, limit_of, number, timestamp},
    database::Postgresql,
    failure::Failed,
    server_text::without_nul,
};
use crate::{Alert, AlertStore, DomainCounts, Error, WatchedDomain, day};

/// The columns of [`alert`].
const ALERT: &str = "domain, begun, events, failed, reasons, told, problem";

impl AlertStore for Postgresql {
    fn watched(&mut self, day: Date, limit: usize) -> Result<Vec<WatchedDomain>, Error> {
        self.read(
            "SELECT t.name, d.events, d.failed, coalesce(j.events, 0), coalesce(j.failed, 0), a.domain IS NOT NULL \
             FROM domain_of_day AS d JOIN domain AS t ON d.domain = t.id \
             LEFT JOIN judged AS j ON j.domain = t.name AND j.day = d.day LEFT JOIN alert AS a ON a.domain = t.name \
             WHERE d.day = $1 AND t.id > 0 AND (d.failed > 0 OR a.domain IS NOT NULL) \
             ORDER BY d.failed DESC, t.name LIMIT $2",
            &[&day::to_number(day), &limit_of(limit)],
            watched,
        )
    }

    fn keep_judged(&mut self, day: Date, judged: &[DomainCounts]) -> Result<(), Error> {
        // In the order of their names, so that two reporters that do this do not wait for each other in a circle.
        let mut sorted: Vec<_> = judged.iter().collect();
        sorted.sort_by(|one, other| one.domain.cmp(&other.domain));
        let domains: Vec<_> = sorted.iter().map(|counts| counts.domain.as_str()).collect();
        let events: Vec<_> = sorted.iter().map(|counts| number(counts.events)).collect();
        let failed: Vec<_> = sorted.iter().map(|counts| number(counts.failed)).collect();
        self.write(|link| {
            let day = day::to_number(day);
            link.execute(
                "INSERT INTO judged AS j (domain, day, events, failed) \
                 SELECT b.domain, $1, b.events, b.failed FROM unnest($2::text[], $3::bigint[], $4::bigint[]) \
                    WITH ORDINALITY AS b (domain, events, failed, n) ORDER BY n \
                 ON CONFLICT (domain) DO UPDATE SET day = excluded.day, events = excluded.events, failed = excluded.failed",
                &[&day, &domains, &events, &failed],
            )?;
            link.execute("DELETE FROM judged WHERE day < $1", &[&day])
        })?;
        Ok(())
    }

    fn has_succeeded(&mut self, domain: &str, first: Date, end: Date) -> Result<bool, Error> {
        let found = self.read(
            "SELECT 1 FROM domain_of_day AS d WHERE d.domain = (SELECT id FROM domain WHERE name = $1) \
             AND d.day >= $2 AND d.day < $3 AND d.events > d.failed LIMIT 1",
            &[&domain, &day::to_number(first), &day::to_number(end)],
            |_| Ok(()),
        )?;
        Ok(!found.is_empty())
    }

    fn begin_alert(&mut self, alert: &Alert) -> Result<bool, Error> {
        let Alert { domain, begun, events, failed, reasons, .. } = alert;
        let added = self.on_link(|link| {
            link.execute(
                "INSERT INTO alert (domain, begun, events, failed, reasons) VALUES ($1, $2, $3, $4, $5) \
                 ON CONFLICT (domain) DO NOTHING",
                &[domain, &begun.as_second(), &number(*events), &number(*failed), &without_nul(reasons)],
            )
        })?;
        Ok(added > 0)
    }

    fn end_alert(&mut self, domain: &str) -> Result<bool, Error> {
        Ok(self.on_link(|link| link.execute("DELETE FROM alert WHERE domain = $1", &[&domain]))? > 0)
    }

    fn take_untold(&mut self, now: Timestamp, retry: SignedDuration) -> Result<Option<Alert>, Error> {
        let before = now.as_second().saturating_sub(retry.as_secs());
        let taken = self.read(
            &format!(
                "UPDATE alert SET tried = $1 WHERE domain = (SELECT domain FROM alert \
                    WHERE told IS NULL AND (tried IS NULL OR tried <= $2) \
                    ORDER BY begun, domain LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING {ALERT}"
            ),
            &[&now.as_second(), &before],
            alert,
        )?;
        Ok(taken.into_iter().next())
    }

    fn keep_told(&mut self, domain: &str, outcome: Result<Timestamp, &str>) -> Result<(), Error> {
        let told = outcome.ok().map(Timestamp::as_second);
        let problem = without_nul(outcome.err().unwrap_or_default());
        self.on_link(|link| {
            link.execute("UPDATE alert SET told = $2, problem = $3 WHERE domain = $1", &[&domain, &told, &problem])
        })?;
        Ok(())
    }
}

impl Postgresql {
    /// All alerts, the oldest first.
    pub(super) fn all_alerts(&mut self) -> Result<Vec<Alert>, Error> {
        self.read(&format!("SELECT {ALERT} FROM alert ORDER BY begun, domain"), &[], alert)
    }
}

fn watched(row: &Row) -> Result<WatchedDomain, Failed> {
    Ok(WatchedDomain {
        now: DomainCounts { domain: row.try_get(0)?, events: count(row, 1)?, failed: count(row, 2)? },
        judged: (count(row, 3)?, count(row, 4)?),
        is_alert: row.try_get(5)?,
    })
}

fn alert(row: &Row) -> Result<Alert, Failed> {
    Ok(Alert {
        domain: row.try_get(0)?,
        begun: timestamp(row, 1)?.ok_or_else(|| Failed::unreadable("begun"))?,
        events: count(row, 2)?,
        failed: count(row, 3)?,
        reasons: row.try_get(4)?,
        told: timestamp(row, 5)?,
        problem: row.try_get(6)?,
    })
}
