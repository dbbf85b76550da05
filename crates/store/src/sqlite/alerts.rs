//! Domains whose sessions have begun to fail, in the database.

use jiff::{SignedDuration, Timestamp, civil::Date};
use rusqlite::{Row, params, types::Type};

use super::database::Sqlite;
use crate::{
    Alert, AlertStore, DomainCounts, Error, WatchedDomain, day,
    file::{count, limit_of, number, timestamp, unreadable},
};

/// The columns of [`alert`].
const ALERT: &str = "SELECT domain, begun, events, failed, reasons, told, problem FROM alert";

impl AlertStore for Sqlite {
    fn watched(&mut self, day: Date, limit: usize) -> Result<Vec<WatchedDomain>, Error> {
        self.rows(
            "SELECT name, d.events, d.failed, ifnull(j.events, 0), ifnull(j.failed, 0), a.domain IS NOT NULL \
             FROM domain_of_day AS d JOIN domain ON d.domain = id \
             LEFT JOIN judged AS j ON j.domain = name AND j.day = d.day LEFT JOIN alert AS a ON a.domain = name \
             WHERE d.day = ?1 AND id > 0 AND (d.failed > 0 OR a.domain IS NOT NULL) ORDER BY d.failed DESC, name LIMIT ?2",
            params![day::to_number(day), limit_of(limit)],
            watched,
        )
    }

    fn keep_judged(&mut self, day: Date, judged: &[DomainCounts]) -> Result<(), Error> {
        let day = day::to_number(day);
        self.write(|transaction| {
            transaction.execute("DELETE FROM judged WHERE day <> ?1", [day])?;
            let mut keep = transaction.prepare_cached(
                "INSERT OR REPLACE INTO judged (domain, day, events, failed) VALUES (?1, ?2, ?3, ?4)",
            )?;
            judged.iter().try_for_each(|DomainCounts { domain, events, failed }| {
                keep.execute(params![domain, day, number(*events), number(*failed)]).map(drop)
            })
        })
    }

    fn has_succeeded(&mut self, domain: &str, first: Date, end: Date) -> Result<bool, Error> {
        let found = self.rows(
            "SELECT 1 FROM domain_of_day WHERE domain = (SELECT id FROM domain WHERE name = ?1) \
             AND day >= ?2 AND day < ?3 AND events > failed LIMIT 1",
            params![domain, day::to_number(first), day::to_number(end)],
            |_| Ok(()),
        )?;
        Ok(!found.is_empty())
    }

    fn begin_alert(&mut self, alert: &Alert) -> Result<bool, Error> {
        let Alert { domain, begun, events, failed, reasons, .. } = alert;
        self.write(|transaction| {
            let added = transaction.execute(
                "INSERT OR IGNORE INTO alert (domain, begun, events, failed, reasons) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![domain, begun.as_second(), number(*events), number(*failed), reasons],
            )?;
            Ok(added > 0)
        })
    }

    fn end_alert(&mut self, domain: &str) -> Result<bool, Error> {
        self.write(|transaction| Ok(transaction.execute("DELETE FROM alert WHERE domain = ?1", [domain])? > 0))
    }

    fn take_untold(&mut self, now: Timestamp, retry: SignedDuration) -> Result<Option<Alert>, Error> {
        let before = now.as_second().saturating_sub(retry.as_secs());
        self.write(|transaction| {
            let mut query = transaction.prepare_cached(&format!(
                "{ALERT} WHERE told IS NULL AND (tried IS NULL OR tried <= ?1) ORDER BY begun, domain LIMIT 1"
            ))?;
            let found = query.query_map([before], alert)?.next().transpose()?;
            if let Some(Alert { domain, .. }) = &found {
                transaction
                    .execute("UPDATE alert SET tried = ?2 WHERE domain = ?1", params![domain, now.as_second()])?;
            }
            Ok(found)
        })
    }

    fn keep_told(&mut self, domain: &str, outcome: Result<Timestamp, &str>) -> Result<(), Error> {
        let told = outcome.ok().map(Timestamp::as_second);
        let problem = outcome.err().unwrap_or_default();
        self.write(|transaction| {
            let query = "UPDATE alert SET told = ?2, problem = ?3 WHERE domain = ?1";
            transaction.execute(query, params![domain, told, problem]).map(drop)
        })
    }
}

impl Sqlite {
    /// All alerts, the oldest first.
    pub(super) fn all_alerts(&self) -> Result<Vec<Alert>, Error> {
        self.rows(&format!("{ALERT} ORDER BY begun, domain"), [], alert)
    }
}

fn watched(row: &Row<'_>) -> rusqlite::Result<WatchedDomain> {
    Ok(WatchedDomain {
        now: DomainCounts { domain: row.get(0)?, events: count(row, 1)?, failed: count(row, 2)? },
        judged: (count(row, 3)?, count(row, 4)?),
        is_alert: row.get(5)?,
    })
}

fn alert(row: &Row<'_>) -> rusqlite::Result<Alert> {
    Ok(Alert {
        domain: row.get(0)?,
        begun: timestamp(row, 1)?.ok_or_else(|| unreadable(1, Type::Null))?,
        events: count(row, 2)?,
        failed: count(row, 3)?,
        reasons: row.get(4)?,
        told: timestamp(row, 5)?,
        problem: row.get(6)?,
    })
}
