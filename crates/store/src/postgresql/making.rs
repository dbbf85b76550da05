//! Makes reports, and keeps them with their destinations.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::{
    columns::{limit_of, number},
    failure::Failed,
    link::Link,
    mx_hosts,
    server_text::without_nul,
    unreported::{Domain, OfDay},
};
use crate::{DeliveryState, FailureLimit, MxHostShare, NewReport, Unreported, day};

/// Makes the reports of some domains. The last of them.
///
/// The rows of the domains stay locked until the end. Another reporter passes over them, and a collector that has counts for
/// one of them waits.
pub(super) fn make_reports(
    link: &mut Link,
    (day, after, limit): (Date, &str, usize),
    failures: FailureLimit,
    make: &mut dyn FnMut(&Unreported) -> Option<NewReport>,
) -> Result<Option<String>, Failed> {
    // The names are read in the order of their index, from `after` on. The planner may take all domains and sort them.
    link.run("SET LOCAL enable_sort = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off")?;
    let domains = link.rows(
        "SELECT o.domain, d.name, o.events - o.reported FROM domain AS d JOIN domain_of_day AS o ON o.domain = d.id AND o.day = $1 \
         WHERE o.events > o.reported AND d.name > $2 ORDER BY d.name LIMIT $3 FOR UPDATE OF o SKIP LOCKED",
        &[&day::to_number(day), &after, &limit_of(limit)],
    )?;
    let mut events = 0_i64;
    for row in &domains {
        events = events.saturating_add(row.try_get(2)?);
    }
    let domains = domains.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
    let domains = domains.collect::<Result<Vec<Domain>, Failed>>()?;
    if domains.is_empty() {
        return Ok(None);
    }
    link.run("SET LOCAL enable_sort = on; SET LOCAL enable_hashjoin = on; SET LOCAL enable_mergejoin = on")?;
    let mut of_day = OfDay::read(link, day, &domains)?;
    let mut hosts = BTreeSet::new();
    for domain in &domains {
        let unreported = of_day.of_domain(link, domain, failures)?;
        if let Some(report) = make(&unreported) {
            keep(link, day, (&unreported.domain, unreported.number), &report, &mut hosts)?;
        }
    }
    mark_as_reported(link, day, &domains)?;
    mx_hosts::are_due(link, day, &hosts)?;
    // Last, since all reporters of the day write this row.
    link.execute(
        "INSERT INTO day_reported AS r (day, events) VALUES ($1, $2) \
         ON CONFLICT (day) DO UPDATE SET events = r.events + excluded.events",
        &[&day::to_number(day), &events],
    )?;
    Ok(domains.into_iter().next_back().map(|(_, name)| name))
}

/// Makes the reports of an MX host. How many.
pub(super) fn make_mx_host_reports(
    link: &mut Link,
    day: Date,
    host: &str,
    make: &mut dyn FnMut(u32, &[MxHostShare]) -> Vec<NewReport>,
) -> Result<u64, Failed> {
    let day_number = day::to_number(day);
    let lock = "SELECT 1 FROM mx_host WHERE day = $1 AND host = $2 FOR UPDATE SKIP LOCKED";
    if link.row(lock, &[&day_number, &host])?.is_none() {
        // Another reporter makes them.
        return Ok(0);
    }
    let (shares, last) = mx_hosts::shares(link, day_number, host)?;
    let (mut reports, mut hosts) = (0, BTreeSet::new());
    if !shares.is_empty() {
        let first = next_number(link, day, host)?;
        for (number, report) in (first..).zip(make(first, &shares)) {
            keep(link, day, (host, number), &report, &mut hosts)?;
            reports += 1;
        }
    }
    link.execute("DELETE FROM mx_host_share WHERE day = $1 AND host = $2 AND id <= $3", &[&day_number, &host, &last])?;
    link.execute(
        "DELETE FROM mx_host AS m WHERE day = $1 AND host = $2 \
         AND NOT EXISTS (SELECT 1 FROM mx_host_share AS s WHERE s.day = m.day AND s.host = m.host)",
        &[&day_number, &host],
    )?;
    // What is left waits for the next report.
    link.execute("UPDATE mx_host SET next_lookup = server_time() WHERE day = $1 AND host = $2", &[&day_number, &host])?;
    mx_hosts::are_due(link, day, &hosts)?;
    Ok(reports)
}

fn mark_as_reported(link: &mut Link, day: Date, domains: &[Domain]) -> Result<(), Failed> {
    let ids: Vec<_> = domains.iter().map(|(id, _)| *id).collect();
    for statement in [
        "UPDATE domain_of_day SET reported = events WHERE day = $1 AND domain = ANY ($2)",
        "UPDATE sessions SET reported_succeeded = succeeded, reported_failed = failed \
         WHERE day = $1 AND domain = ANY ($2)",
        "UPDATE failures SET reported = times WHERE day = $1 AND domain = ANY ($2) AND times > reported",
    ] {
        link.execute(statement, &[&day::to_number(day), &ids])?;
    }
    Ok(())
}

/// The number of the next report about a domain and a day.
pub(super) fn next_number(link: &mut Link, day: Date, domain: &str) -> Result<u32, Failed> {
    let next = "SELECT coalesce(max(number), 0) + 1 FROM report WHERE day = $1 AND domain = $2";
    Ok(link.row(next, &[&day::to_number(day), &domain])?.map_or(1, |row| row.get::<_, i32>(0).unsigned_abs()))
}

/// Keeps a report. `hosts` gets the MX hosts that it has shares of.
pub(super) fn keep(
    link: &mut Link,
    day: Date,
    (domain, number_of_report): (&str, u32),
    report: &NewReport,
    hosts: &mut BTreeSet<String>,
) -> Result<(), Failed> {
    let row = link.row(
        "INSERT INTO report (day, domain, number, report_id, made, file_name, compressed, summary, succeeded, failed) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id",
        &[
            &day::to_number(day),
            &domain,
            &i32::try_from(number_of_report).unwrap_or(i32::MAX),
            &report.report_id,
            &report.made.as_second(),
            &report.file_name,
            &report.compressed,
            &&*without_nul(&report.summary),
            &number(report.succeeded),
            &number(report.failed),
        ],
    )?;
    let id: i64 = row.ok_or_else(|| Failed::unreadable("report"))?.try_get(0)?;
    for delivery in &report.deliveries {
        let due = (delivery.state == DeliveryState::Waiting).then_some(delivery.due.as_second());
        link.execute(
            "INSERT INTO delivery (report, destination, mail_domain, state, next_attempt, answer, token) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            &[
                &id,
                &delivery.destination,
                &delivery.mail_domain,
                &delivery.state.name(),
                &due,
                &delivery.answer,
                &i64::from(delivery.token),
            ],
        )?;
    }
    mx_hosts::keep(link, day, &report.mx_hosts, hosts)
}
