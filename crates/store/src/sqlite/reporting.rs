//! Reports and deliveries in the database.

use jiff::{Timestamp, civil::Date};
use rusqlite::{Row, Transaction, TransactionBehavior, params, params_from_iter, types::Value};
use tlsrpt_format::datagram::normalized_domain;

use super::{
    database::Sqlite,
    format::FORMAT,
    mx_hosts,
    reading::state,
    reporter_lock,
    unreported::{next_number, unreported},
};
use crate::{
    Attempt, Delivery, DeliveryState, Error, FailureLimit, KeptReport, Leases, MxHostShare, NewReport, ReportFilter,
    ReportStore, Route, Suppression, Unreported, day,
    file::{count, date, limit_of, number, timestamp},
};

const DELIVERY: &str = "id, report, destination, token, state, attempts, first_attempt, last_attempt, next_attempt, unknown, answer, warning, \
     (SELECT length(compressed) + octet_length(summary) FROM report WHERE report.id = delivery.report)";

impl ReportStore for Sqlite {
    fn unreported_days(&mut self, end: Date) -> Result<Vec<Date>, Error> {
        self.rows(
            "SELECT day FROM day WHERE day < ?1 AND EXISTS \
             (SELECT 1 FROM domain_of_day WHERE domain_of_day.day = day.day AND events > reported) ORDER BY day",
            [day::to_number(end)],
            |row| date(row, 0),
        )
    }

    fn make_reports(
        &mut self,
        day: Date,
        after: &str,
        limit: usize,
        failures: FailureLimit,
        make: &mut dyn FnMut(&Unreported) -> Option<NewReport>,
    ) -> Result<Option<String>, Error> {
        self.write(|transaction| make_reports(transaction, (day, after, limit), failures, make))
    }

    fn unreported(&mut self, day: Date, domain: &str, failures: FailureLimit) -> Result<Option<Unreported>, Error> {
        let domain = normalized_domain(domain);
        let found = unreported(&self.connection, day, &domain, failures);
        found.map(|found| found.map(|(_, unreported)| unreported)).map_err(|error| self.failed(&error))
    }

    fn begin_attempts(
        &mut self,
        route: Route,
        now: Timestamp,
        day: Option<Date>,
        limit: usize,
    ) -> Result<Vec<Delivery>, Error> {
        self.write(|transaction| {
            let mut due = transaction.prepare_cached(&format!(
                "SELECT {DELIVERY} FROM delivery INDEXED BY {} AND state = 'waiting' AND started IS NULL \
                 AND next_attempt <= ?1{} ORDER BY next_attempt, id LIMIT ?2",
                match route {
                    Route::Mail => "delivery_due_by_mail WHERE mail_domain IS NOT NULL",
                    Route::Https => "delivery_due_by_https WHERE mail_domain IS NULL",
                },
                of_day(day)
            ))?;
            let due =
                due.query_map([now.as_second(), limit_of(limit)], delivery)?.collect::<rusqlite::Result<Vec<_>>>()?;
            let mut start = transaction.prepare_cached("UPDATE delivery SET started = ?1 WHERE id = ?2")?;
            due.iter().try_for_each(|delivery| start.execute([now.as_second(), delivery.id]).map(drop))?;
            Ok(due)
        })
    }

    fn renew_leases(&mut self, _attempts: &[i64]) -> Result<Leases, Error> {
        Ok(Leases::default())
    }

    fn end_attempts(&mut self, attempts: &[Attempt]) -> Result<(), Error> {
        self.write(|transaction| {
            let mut end = transaction.prepare_cached(
                "UPDATE delivery SET started = NULL, attempts = attempts + ?8, \
                 state = iif(state = 'cancelled' AND ?1 <> 'delivered', state, ?1), \
                 first_attempt = iif(?8, ifnull(first_attempt, ?2), first_attempt), \
                 last_attempt = iif(?8, ?2, last_attempt), \
                 next_attempt = iif(state = 'cancelled', NULL, ?3), \
                 unknown = max(unknown, ?4), answer = ?5, warning = ?6 WHERE id = ?7",
            )?;
            attempts.iter().try_for_each(|attempt| {
                let Attempt { delivery, at, tried, state, next_attempt, unknown, answer, warning } = attempt;
                let next = next_attempt.map(Timestamp::as_second);
                end.execute(params![state.name(), at.as_second(), next, unknown, answer, warning, delivery, tried])
                    .map(drop)
            })
        })
    }

    fn mx_hosts(&mut self, now: Timestamp, day: Option<Date>, limit: usize) -> Result<Vec<(Date, String)>, Error> {
        let day = day.map_or_else(String::new, |day| format!("AND day = {}", day::to_number(day)));
        let query = format!(
            "SELECT day, host FROM mx_host_share WHERE next_lookup <= ?1 {day} GROUP BY day, host \
             ORDER BY min(next_lookup), day, host LIMIT ?2"
        );
        self.rows(&query, [now.as_second(), limit_of(limit)], |row| Ok((date(row, 0)?, row.get(1)?)))
    }

    fn has_mx_hosts(&mut self, now: Timestamp, day: Option<Date>) -> Result<bool, Error> {
        Ok(!self.mx_hosts(now, day, 1)?.is_empty())
    }

    fn waiting_mx_hosts(&mut self, day: Option<Date>) -> Result<u64, Error> {
        let day = day.map_or_else(String::new, |day| format!("WHERE day = {}", day::to_number(day)));
        let query = format!("SELECT count(*) FROM (SELECT 1 FROM mx_host_share {day} GROUP BY day, host)");
        Ok(self.rows(&query, [], |row| count(row, 0))?.into_iter().sum())
    }

    fn make_mx_host_reports(
        &mut self,
        day: Date,
        host: &str,
        make: &mut dyn FnMut(u32, &[MxHostShare]) -> Vec<NewReport>,
    ) -> Result<u64, Error> {
        self.write(|transaction| {
            let (shares, last) = mx_hosts::of_host(transaction, day, host)?;
            let mut reports = 0;
            if !shares.is_empty() {
                let first = next_number(transaction, day, host)?;
                for (number, report) in (first..).zip(make(first, &shares)) {
                    keep(transaction, day, (host, number), &report)?;
                    reports += 1;
                }
            }
            mx_hosts::remove(transaction, day, host, last)?;
            Ok(reports)
        })
    }

    fn put_off_mx_host(&mut self, day: Date, host: &str, until: Timestamp) -> Result<(), Error> {
        self.write(|transaction| {
            transaction.execute(
                "UPDATE mx_host_share SET next_lookup = ?3 WHERE day = ?1 AND host = ?2",
                params![day::to_number(day), host, until.as_second()],
            )?;
            Ok(())
        })
    }

    fn become_reporter(&mut self, now: Timestamp) -> Result<u64, Error> {
        self.reporter = Some(reporter_lock::take(&self.path)?);
        self.write(|transaction| {
            let recovered = transaction.execute(
                "UPDATE delivery SET started = NULL, unknown = 1, attempts = attempts + 1, \
                 first_attempt = ifnull(first_attempt, started), last_attempt = started, \
                 next_attempt = iif(state = 'waiting', ?1, NULL), answer = 'the reporter was interrupted' \
                 WHERE started IS NOT NULL",
                [now.as_second()],
            )?;
            Ok(recovered as u64)
        })
    }

    fn has_due(&mut self, now: Timestamp, day: Option<Date>) -> Result<bool, Error> {
        let due = format!(
            "SELECT 1 FROM delivery WHERE state = 'waiting' AND started IS NULL AND next_attempt <= ?1{} LIMIT 1",
            of_day(day)
        );
        Ok(!self.rows(&due, [now.as_second()], |_| Ok(()))?.is_empty())
    }

    fn waiting(&mut self, day: Option<Date>) -> Result<u64, Error> {
        let query = format!("SELECT count(*) FROM delivery WHERE state = 'waiting' AND started IS NULL{}", of_day(day));
        Ok(self.rows(&query, [], |row| count(row, 0))?.into_iter().sum())
    }

    fn resend(&mut self, report: i64, now: Timestamp) -> Result<u64, Error> {
        self.write(|transaction| {
            let changed = transaction.execute(
                "UPDATE delivery SET state = 'waiting', next_attempt = ?2, first_attempt = NULL, \
                 answer = 'sent again by the operator' \
                 WHERE report = ?1 AND state <> 'waiting' AND NOT (state = 'failed' AND attempts = 0)",
                [report, now.as_second()],
            )?;
            Ok(changed as u64)
        })
    }

    fn cancel(&mut self, report: i64) -> Result<u64, Error> {
        self.write(|transaction| {
            let changed = transaction.execute(
                "UPDATE delivery SET state = 'cancelled', next_attempt = NULL, answer = 'cancelled by the operator' \
                 WHERE report = ?1 AND state = 'waiting'",
                [report],
            )?;
            Ok(changed as u64)
        })
    }

    fn count_attempt(&mut self, destination: &str, hour: Timestamp) -> Result<u64, Error> {
        let counted = self.destinations.count(destination, hour, &self.connection);
        counted.map_err(|error| self.failed(&error))
    }

    fn keep_report(&mut self, day: Date, domain: &str, report: &NewReport) -> Result<bool, Error> {
        let domain = normalized_domain(domain);
        self.write(|transaction| {
            let mut known = transaction.prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM report WHERE day = ?1 AND domain = ?2 AND report_id = ?3)",
            )?;
            if known.query_row(params![day::to_number(day), domain, report.report_id], |row| row.get(0))? {
                return Ok(false);
            }
            let number = next_number(transaction, day, &domain)?;
            keep(transaction, day, (&domain, number), report)?;
            Ok(true)
        })
    }

    fn last_batch(&mut self, writer: &str) -> Result<u64, Error> {
        let found = self.rows("SELECT batch FROM writer WHERE name = ?1", [writer], |row| count(row, 0))?;
        Ok(found.into_iter().sum())
    }

    fn report(&mut self, id: i64) -> Result<Option<KeptReport>, Error> {
        let found = self.rows(
            "SELECT id, day, domain, number, report_id, made, file_name, succeeded, failed, compressed, summary \
             FROM report WHERE id = ?1",
            [id],
            |row| Ok(KeptReport { compressed: row.get(9)?, summary: row.get(10)?, ..kept_report(row)? }),
        )?;
        Ok(found.into_iter().next())
    }

    fn reports(&mut self, filter: &ReportFilter, limit: usize) -> Result<Vec<KeptReport>, Error> {
        let mut conditions = String::from("1");
        let mut parameters: Vec<Value> = Vec::new();
        let mut condition = |text: &str, value: Value| {
            conditions.push_str(text);
            parameters.push(value);
        };
        if let Some(day) = filter.day {
            condition(" AND day = ?", day::to_number(day).into());
        }
        if let Some(domain) = &filter.domain {
            condition(" AND domain = ?", normalized_domain(domain).to_string().into());
        }
        if let Some(state) = filter.state {
            let with_state = " AND EXISTS (SELECT 1 FROM delivery WHERE report = report.id AND state = ?)";
            condition(with_state, state.name().to_owned().into());
        }
        parameters.push(limit_of(limit).into());
        let query = format!(
            "SELECT id, day, domain, number, report_id, made, file_name, succeeded, failed FROM report \
             WHERE {conditions} ORDER BY day DESC, domain, number LIMIT ?"
        );
        self.rows(&query, params_from_iter(parameters), kept_report)
    }

    fn deliveries(&mut self, report: i64) -> Result<Vec<Delivery>, Error> {
        self.rows(&format!("SELECT {DELIVERY} FROM delivery WHERE report = ?1 ORDER BY id"), [report], delivery)
    }

    fn delivery(&mut self, id: i64) -> Result<Option<Delivery>, Error> {
        let found = self.rows(&format!("SELECT {DELIVERY} FROM delivery WHERE id = ?1"), [id], delivery)?;
        Ok(found.into_iter().next())
    }

    fn suppress(&mut self, suppression: &Suppression) -> Result<(), Error> {
        let Suppression { target, until, days, reason } = suppression;
        self.write(|transaction| {
            transaction.execute(
                "INSERT OR REPLACE INTO suppression (target, until, days, reason) VALUES (?1, ?2, ?3, ?4)",
                params![target, until.map(Timestamp::as_second), days, reason],
            )?;
            Ok(())
        })
    }

    fn end_suppression(&mut self, target: &str) -> Result<bool, Error> {
        self.write(|transaction| Ok(transaction.execute("DELETE FROM suppression WHERE target = ?1", [target])? > 0))
    }

    fn suppressions(&mut self) -> Result<Vec<Suppression>, Error> {
        self.rows("SELECT target, until, days, reason FROM suppression ORDER BY target", [], suppression)
    }

    fn suppression(&mut self, target: &str) -> Result<Option<Suppression>, Error> {
        let found =
            self.rows("SELECT target, until, days, reason FROM suppression WHERE target = ?1", [target], suppression)?;
        Ok(found.into_iter().next())
    }

    fn forget_host(&mut self, _name: &str) -> Result<bool, Error> {
        Ok(false)
    }
}

impl Sqlite {
    /// Runs `write` in one transaction. After an error, the database is unchanged.
    pub(super) fn write<T>(&mut self, write: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> Result<T, Error> {
        let path = &self.path;
        let run = || {
            let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = write(&transaction)?;
            transaction.commit()?;
            Ok(value)
        };
        run().map_err(|error| FORMAT.failure(path, &error))
    }
}

fn make_reports(
    transaction: &Transaction<'_>,
    (day, after, limit): (Date, &str, usize),
    failures: FailureLimit,
    make: &mut dyn FnMut(&Unreported) -> Option<NewReport>,
) -> rusqlite::Result<Option<String>> {
    let mut names = transaction.prepare_cached(
        "SELECT name FROM domain_of_day JOIN domain ON domain = id \
         WHERE day = ?1 AND events > reported AND name > ?2 ORDER BY name LIMIT ?3",
    )?;
    let names = names.query_map(params![day::to_number(day), after, limit_of(limit)], |row| row.get::<_, String>(0))?;
    let names = names.collect::<rusqlite::Result<Vec<_>>>()?;
    for name in &names {
        let Some((domain, unreported)) = unreported(transaction, day, name, failures)? else { continue };
        if let Some(report) = make(&unreported) {
            keep(transaction, day, (&unreported.domain, unreported.number), &report)?;
        }
        mark_as_reported(transaction, day, domain)?;
    }
    Ok(names.into_iter().next_back())
}

fn mark_as_reported(transaction: &Transaction<'_>, day: Date, domain: i64) -> rusqlite::Result<()> {
    for statement in [
        "UPDATE domain_of_day SET reported = events WHERE day = ?1 AND domain = ?2",
        "UPDATE sessions SET reported_succeeded = succeeded, reported_failed = failed WHERE day = ?1 AND domain = ?2",
        "UPDATE failures SET reported = times WHERE day = ?1 AND domain = ?2",
    ] {
        transaction.prepare_cached(statement)?.execute([day::to_number(day), domain])?;
    }
    Ok(())
}

fn keep(
    transaction: &Transaction<'_>,
    day: Date,
    (domain, number_of_report): (&str, u32),
    report: &NewReport,
) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare_cached(
        "INSERT INTO report (day, domain, number, report_id, made, file_name, compressed, summary, succeeded, failed) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    let id = insert.insert(params![
        day::to_number(day),
        domain,
        number_of_report,
        report.report_id,
        report.made.as_second(),
        report.file_name,
        report.compressed,
        report.summary,
        number(report.succeeded),
        number(report.failed),
    ])?;
    let mut insert = transaction.prepare_cached(
        "INSERT INTO delivery (report, destination, mail_domain, state, next_attempt, answer, token) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for delivery in &report.deliveries {
        let due = (delivery.state == DeliveryState::Waiting).then_some(delivery.due.as_second());
        insert.execute(params![
            id,
            delivery.destination,
            delivery.mail_domain,
            delivery.state.name(),
            due,
            delivery.answer,
            delivery.token
        ])?;
    }
    mx_hosts::keep(transaction, day, &report.mx_hosts, report.made)
}

/// The condition for deliveries of reports about this day.
fn of_day(day: Option<Date>) -> String {
    // The number needs no escaping.
    day.map_or_else(String::new, |day| {
        format!(
            " AND EXISTS (SELECT 1 FROM report WHERE report.id = delivery.report AND day = {})",
            day::to_number(day)
        )
    })
}

fn delivery(row: &Row<'_>) -> rusqlite::Result<Delivery> {
    Ok(Delivery {
        id: row.get(0)?,
        report: row.get(1)?,
        destination: row.get(2)?,
        token: row.get(3)?,
        state: state(row, 4)?,
        attempts: row.get(5)?,
        first_attempt: timestamp(row, 6)?,
        last_attempt: timestamp(row, 7)?,
        next_attempt: timestamp(row, 8)?,
        unknown: row.get(9)?,
        answer: row.get(10)?,
        warning: row.get(11)?,
        report_size: count(row, 12)?,
    })
}

fn kept_report(row: &Row<'_>) -> rusqlite::Result<KeptReport> {
    Ok(KeptReport {
        id: row.get(0)?,
        day: date(row, 1)?,
        domain: row.get(2)?,
        number: row.get(3)?,
        report_id: row.get(4)?,
        made: timestamp(row, 5)?.unwrap_or_default(),
        file_name: row.get(6)?,
        succeeded: count(row, 7)?,
        failed: count(row, 8)?,
        compressed: Vec::new(),
        summary: String::new(),
    })
}

fn suppression(row: &Row<'_>) -> rusqlite::Result<Suppression> {
    Ok(Suppression { target: row.get(0)?, until: timestamp(row, 1)?, days: row.get(2)?, reason: row.get(3)? })
}
