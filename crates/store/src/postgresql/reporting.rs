//! Reports and deliveries in the tables.

use std::collections::BTreeSet;

use jiff::{Timestamp, civil::Date};
use tlsrpt_format::datagram::normalized_domain;
use tokio_postgres::{Row, types::ToSql};

use super::{
    columns::{count, date, limit_of, state, timestamp},
    database::Postgresql,
    failure::Failed,
    leases::LEASE,
    making, mx_hosts,
    server_text::without_nul,
    unreported::OfDay,
};
use crate::{
    Attempt, Delivery, Error, FailureLimit, KeptReport, Leases, MxHostShare, NewReport, ReportFilter, ReportStore,
    Route, SharedStore, Suppression, Unreported, day,
};

const DELIVERY: &str = "d.id, d.report, d.destination, d.token, d.state, d.attempts, d.first_attempt, d.last_attempt, \
     d.next_attempt, d.unknown, d.answer, d.warning, \
     (SELECT octet_length(r.compressed) + octet_length(r.summary) FROM report AS r WHERE r.id = d.report)";

/// The condition for deliveries of reports about the day in the first parameter, which may be NULL. Not with EXISTS, for which
/// the server may read all reports first.
const OF_DAY: &str = "($1::bigint IS NULL OR $1 = (SELECT r.day FROM report AS r WHERE r.id = d.report))";

/// The deliveries that wait for an attempt. With a condition for the route, an index has them.
const WAITS: &str = "d.state = 'waiting' AND d.started IS NULL";

const SUPPRESSION: &str = "SELECT target, until, days, reason FROM suppression";

impl ReportStore for Postgresql {
    fn unreported_days(&mut self, end: Date) -> Result<Vec<Date>, Error> {
        self.read(
            "SELECT d.day FROM day AS d LEFT JOIN day_reported AS r ON r.day = d.day \
             WHERE d.day < $1 AND d.events > coalesce(r.events, 0) ORDER BY d.day",
            &[&day::to_number(end)],
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
        self.write(|link| making::make_reports(link, (day, after, limit), failures, make))
    }

    fn unreported(&mut self, day: Date, domain: &str, failures: FailureLimit) -> Result<Option<Unreported>, Error> {
        let name = normalized_domain(domain);
        self.on_link(|link| {
            let found = link.row(
                "SELECT id, name FROM domain JOIN domain_of_day ON domain = id \
                 WHERE name = $1 AND day = $2 AND events > reported",
                &[&name, &day::to_number(day)],
            )?;
            let Some(row) = found else { return Ok(None) };
            let domain = (row.try_get(0)?, row.try_get(1)?);
            let mut of_day = OfDay::read(link, day, std::slice::from_ref(&domain))?;
            of_day.of_domain(link, &domain, failures).map(Some)
        })
    }

    fn mx_hosts(&mut self, now: Timestamp, day: Option<Date>, limit: usize) -> Result<Vec<(Date, String)>, Error> {
        self.on_link(|link| mx_hosts::take(link, now, day, limit))
    }

    fn has_mx_hosts(&mut self, now: Timestamp, day: Option<Date>) -> Result<bool, Error> {
        let due = "SELECT 1 FROM mx_host WHERE next_lookup <= $1 AND ($2::bigint IS NULL OR day = $2) LIMIT 1";
        let found = self.read(due, &[&now.as_second(), &day.map(day::to_number)], |_| Ok(()))?;
        Ok(!found.is_empty())
    }

    fn waiting_mx_hosts(&mut self, day: Option<Date>) -> Result<u64, Error> {
        self.count("SELECT count(*) FROM mx_host WHERE $1::bigint IS NULL OR day = $1", &[&day.map(day::to_number)])
    }

    fn make_mx_host_reports(
        &mut self,
        day: Date,
        host: &str,
        make: &mut dyn FnMut(u32, &[MxHostShare]) -> Vec<NewReport>,
    ) -> Result<u64, Error> {
        self.write(|link| making::make_mx_host_reports(link, day, host, make))
    }

    fn put_off_mx_host(&mut self, day: Date, host: &str, until: Timestamp) -> Result<(), Error> {
        let put_off = "UPDATE mx_host SET next_lookup = $3 WHERE day = $1 AND host = $2";
        self.on_link(|link| link.execute(put_off, &[&day::to_number(day), &host, &until.as_second()]))?;
        Ok(())
    }

    fn become_reporter(&mut self, _now: Timestamp) -> Result<u64, Error> {
        self.become_one_of_the_reporters()
    }

    fn begin_attempts(
        &mut self,
        route: Route,
        now: Timestamp,
        day: Option<Date>,
        limit: usize,
    ) -> Result<Vec<Delivery>, Error> {
        let is_of_route = is_of_route(route);
        let begin = format!(
            "WITH due AS MATERIALIZED (SELECT d.id FROM delivery AS d \
                WHERE {is_of_route} AND {WAITS} AND d.next_attempt <= $2 AND {OF_DAY} \
                ORDER BY d.next_attempt, d.id LIMIT $3 FOR UPDATE SKIP LOCKED) \
             UPDATE delivery AS d SET started = $2, reporter = $4, leased_until = server_time() + $5 \
             FROM due WHERE d.id = due.id RETURNING {DELIVERY}"
        );
        let reporter = self.reporter.clone();
        let mut begun = self.read(
            &begin,
            &[&day.map(day::to_number), &now.as_second(), &limit_of(limit), &reporter, &LEASE],
            delivery,
        )?;
        begun.sort_by_key(|delivery| (delivery.next_attempt, delivery.id));
        Ok(begun)
    }

    fn renew_leases(&mut self, attempts: &[i64]) -> Result<Leases, Error> {
        self.renew(attempts)
    }

    fn end_attempts(&mut self, attempts: &[Attempt]) -> Result<(), Error> {
        let mut attempts: Vec<_> = attempts.iter().collect();
        // In one order, so that two reporters do not wait for each other.
        attempts.sort_by_key(|attempt| attempt.delivery);
        let reporter = self.reporter.clone();
        self.write(|link| {
            for attempt in attempts {
                let Attempt { delivery, at, tried, state, next_attempt, unknown, answer, warning } = attempt;
                // Another reporter may have taken over a lease that has ended. What was delivered is delivered all the same.
                link.execute(
                    "UPDATE delivery SET started = NULL, reporter = NULL, leased_until = NULL, \
                        attempts = attempts + CASE WHEN $1 THEN 1 ELSE 0 END, \
                        state = CASE WHEN state = 'cancelled' AND $2 <> 'delivered' THEN state ELSE $2 END, \
                        first_attempt = CASE WHEN $1 THEN coalesce(first_attempt, $3) ELSE first_attempt END, \
                        last_attempt = CASE WHEN $1 THEN $3 ELSE last_attempt END, \
                        next_attempt = CASE WHEN state = 'cancelled' THEN NULL ELSE $4::bigint END, \
                        unknown = unknown OR $5, answer = $6, warning = $7 \
                     WHERE id = $8 AND (reporter = $9 OR $2 = 'delivered' AND state <> 'delivered')",
                    &[
                        tried,
                        &state.name(),
                        &at.as_second(),
                        &next_attempt.map(Timestamp::as_second),
                        unknown,
                        &without_nul(answer),
                        &warning.as_deref().map(without_nul),
                        delivery,
                        &reporter,
                    ],
                )?;
            }
            Ok(())
        })
    }

    fn has_due(&mut self, now: Timestamp, day: Option<Date>) -> Result<bool, Error> {
        let [mail, https] = [Route::Mail, Route::Https].map(|route| {
            let is_of_route = is_of_route(route);
            format!(
                "EXISTS (SELECT 1 FROM delivery AS d WHERE {is_of_route} AND {WAITS} AND d.next_attempt <= $2 AND {OF_DAY})"
            )
        });
        let query = format!("SELECT {mail} OR {https}");
        let found = self.read(&query, &[&day.map(day::to_number), &now.as_second()], |row| Ok(row.try_get(0)?))?;
        Ok(found.contains(&true))
    }

    fn waiting(&mut self, day: Option<Date>) -> Result<u64, Error> {
        let [mail, https] = [Route::Mail, Route::Https].map(|route| {
            let is_of_route = is_of_route(route);
            format!("(SELECT count(*) FROM delivery AS d WHERE {is_of_route} AND {WAITS} AND {OF_DAY})")
        });
        self.count(&format!("SELECT {mail} + {https}"), &[&day.map(day::to_number)])
    }

    fn resend(&mut self, report: i64, now: Timestamp) -> Result<u64, Error> {
        self.on_link(|link| {
            link.execute(
                "UPDATE delivery SET state = 'waiting', next_attempt = $2, first_attempt = NULL, \
                 answer = 'sent again by the operator' \
                 WHERE report = $1 AND state <> 'waiting' AND NOT (state = 'failed' AND attempts = 0)",
                &[&report, &now.as_second()],
            )
        })
    }

    fn cancel(&mut self, report: i64) -> Result<u64, Error> {
        self.on_link(|link| {
            link.execute(
                "UPDATE delivery SET state = 'cancelled', next_attempt = NULL, answer = 'cancelled by the operator' \
                 WHERE report = $1 AND state = 'waiting'",
                &[&report],
            )
        })
    }

    fn count_attempt(&mut self, destination: &str, hour: Timestamp) -> Result<u64, Error> {
        // The commit does not wait for the disk: a crash of the server costs the counts of its last second, and no report.
        self.count(
            "WITH soon AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true)) \
             INSERT INTO destination_hour AS d (hour, destination, attempts) SELECT $1, $2, 1 FROM soon \
             ON CONFLICT (hour, destination) DO UPDATE SET attempts = d.attempts + 1 RETURNING attempts - 1",
            &[&hour.as_second(), &destination],
        )
    }

    fn keep_report(&mut self, day: Date, domain: &str, report: &NewReport) -> Result<bool, Error> {
        let domain = normalized_domain(domain);
        self.write(|link| {
            let known = "SELECT 1 FROM report WHERE day = $1 AND domain = $2 AND report_id = $3";
            if link.row(known, &[&day::to_number(day), &domain, &report.report_id])?.is_some() {
                return Ok(false);
            }
            let number = making::next_number(link, day, &domain)?;
            let mut hosts = BTreeSet::new();
            making::keep(link, day, (&domain, number), report, &mut hosts)?;
            mx_hosts::are_due(link, day, &hosts)?;
            Ok(true)
        })
    }

    fn last_batch(&mut self, writer: &str) -> Result<u64, Error> {
        SharedStore::last_batch(self, writer)
    }

    fn report(&mut self, id: i64) -> Result<Option<KeptReport>, Error> {
        let found = self.read(
            "SELECT id, day, domain, number, report_id, made, file_name, succeeded, failed, compressed, summary \
             FROM report WHERE id = $1",
            &[&id],
            |row| Ok(KeptReport { compressed: row.try_get(9)?, summary: row.try_get(10)?, ..kept_report(row)? }),
        )?;
        Ok(found.into_iter().next())
    }

    fn reports(&mut self, filter: &ReportFilter, limit: usize) -> Result<Vec<KeptReport>, Error> {
        let day = filter.day.map(day::to_number);
        let domain = filter.domain.as_deref().map(normalized_domain);
        let (state, limit) = (filter.state.map(crate::DeliveryState::name), limit_of(limit));
        let parameters: [&(dyn ToSql + Sync); 4] = [&day, &domain, &state, &limit];
        self.read(
            "SELECT id, day, domain, number, report_id, made, file_name, succeeded, failed FROM report \
             WHERE ($1::bigint IS NULL OR day = $1) AND ($2::text IS NULL OR domain = $2) AND ($3::text IS NULL OR EXISTS \
             (SELECT 1 FROM delivery AS d WHERE d.report = report.id AND d.state = $3)) \
             ORDER BY day DESC, domain, number LIMIT $4",
            &parameters,
            kept_report,
        )
    }

    fn deliveries(&mut self, report: i64) -> Result<Vec<Delivery>, Error> {
        let query = format!("SELECT {DELIVERY} FROM delivery AS d WHERE d.report = $1 ORDER BY d.id");
        self.read(&query, &[&report], delivery)
    }

    fn delivery(&mut self, id: i64) -> Result<Option<Delivery>, Error> {
        let query = format!("SELECT {DELIVERY} FROM delivery AS d WHERE d.id = $1");
        Ok(self.read(&query, &[&id], delivery)?.into_iter().next())
    }

    fn suppress(&mut self, suppression: &Suppression) -> Result<(), Error> {
        let Suppression { target, until, days, reason } = suppression;
        let days = days.map(|days| i32::try_from(days).unwrap_or(i32::MAX));
        self.on_link(|link| {
            link.execute(
                "INSERT INTO suppression (target, until, days, reason) VALUES ($1, $2, $3, $4) ON CONFLICT (target) \
                 DO UPDATE SET until = excluded.until, days = excluded.days, reason = excluded.reason",
                &[target, &until.map(Timestamp::as_second), &days, &without_nul(reason)],
            )
        })?;
        Ok(())
    }

    fn end_suppression(&mut self, target: &str) -> Result<bool, Error> {
        Ok(self.on_link(|link| link.execute("DELETE FROM suppression WHERE target = $1", &[&target]))? > 0)
    }

    fn suppressions(&mut self) -> Result<Vec<Suppression>, Error> {
        self.read(&format!("{SUPPRESSION} ORDER BY target"), &[], suppression)
    }

    fn suppression(&mut self, target: &str) -> Result<Option<Suppression>, Error> {
        Ok(self.read(&format!("{SUPPRESSION} WHERE target = $1"), &[&target], suppression)?.into_iter().next())
    }

    fn forget_host(&mut self, name: &str) -> Result<bool, Error> {
        Ok(self.on_link(|link| link.execute("DELETE FROM host WHERE name = $1", &[&name]))? > 0)
    }
}

/// The condition of the index for the waiting deliveries of a route.
fn is_of_route(route: Route) -> &'static str {
    match route {
        Route::Mail => "d.mail_domain IS NOT NULL",
        Route::Https => "d.mail_domain IS NULL",
    }
}

fn delivery(row: &Row) -> Result<Delivery, Failed> {
    let attempts: i32 = row.try_get(5)?;
    let token: i64 = row.try_get(3)?;
    let size: Option<i32> = row.try_get(12)?;
    Ok(Delivery {
        id: row.try_get(0)?,
        report: row.try_get(1)?,
        destination: row.try_get(2)?,
        token: u32::try_from(token).map_err(|_| Failed::unreadable("token"))?,
        state: state(row, 4)?,
        attempts: attempts.unsigned_abs(),
        first_attempt: timestamp(row, 6)?,
        last_attempt: timestamp(row, 7)?,
        next_attempt: timestamp(row, 8)?,
        unknown: row.try_get(9)?,
        answer: row.try_get(10)?,
        warning: row.try_get(11)?,
        report_size: u64::from(size.unwrap_or_default().unsigned_abs()),
    })
}

fn kept_report(row: &Row) -> Result<KeptReport, Failed> {
    let number: i32 = row.try_get(3)?;
    Ok(KeptReport {
        id: row.try_get(0)?,
        day: date(row, 1)?,
        domain: row.try_get(2)?,
        number: number.unsigned_abs(),
        report_id: row.try_get(4)?,
        made: timestamp(row, 5)?.unwrap_or_default(),
        file_name: row.try_get(6)?,
        succeeded: count(row, 7)?,
        failed: count(row, 8)?,
        compressed: Vec::new(),
        summary: String::new(),
    })
}

fn suppression(row: &Row) -> Result<Suppression, Failed> {
    let days: Option<i32> = row.try_get(2)?;
    Ok(Suppression {
        target: row.try_get(0)?,
        until: timestamp(row, 1)?,
        days: days.map(i32::unsigned_abs),
        reason: row.try_get(3)?,
    })
}
