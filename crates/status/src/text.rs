//! For people: text.

use std::{
    fmt::Display,
    io::{self, Write},
};

use bytesize::ByteSize;
use jiff::{SignedDuration, Timestamp, civil::Date};
use tlsrpt_format::{
    datagram::{FailureMember, PolicyDescription},
    printable,
};
use tlsrpt_store::{DayCounts, Error, ErrorKind, FailureCounts, PolicyCounts, SpoolState, result_type};

use crate::{Domain, DomainDay, Reason, Status, Stored, collector::Collector, hosts::in_words};

/// The number of listed days.
const DAYS: usize = 7;

/// The whole host.
///
/// # Errors
///
/// Those of `out`.
pub fn status(out: &mut impl Write, status: &Status) -> io::Result<()> {
    labelled(out, "collector", collector(status))?;
    match &status.stored {
        Ok(stored) => {
            labelled(out, "store", store(status, stored))?;
            status.spool.iter().try_for_each(|found| labelled(out, "spool", spool(status, found)))?;
            labelled(out, "last event", last_event(status, stored))?;
            labelled(out, "reports", format_args!("of {}: {}", stored.reports.day, stored.reports.in_words()))?;
            days(out, &stored.days)?;
            worst(out, stored)?;
            invalid(out, stored)?;
            hosts(out, stored)?;
        }
        Err(_) => {
            let works = if status.store_works() { ", which answers" } else { "" };
            labelled(out, "store", format_args!("{}{works}", printable(&status.place.store.to_string())))?;
            status.spool.iter().try_for_each(|found| labelled(out, "spool", spool(status, found)))?;
        }
    }
    section(out, "Needs attention", &status.attention)?;
    section(out, "Notes", &status.notes)
}

fn section(out: &mut impl Write, title: &str, lines: &[String]) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{title}")?;
    lines.iter().try_for_each(|line| writeln!(out, "  {line}"))
}

fn labelled(out: &mut impl Write, label: &str, text: impl Display) -> io::Result<()> {
    writeln!(out, "{label:<10}  {text}")
}

/// Whether the collector receives events. Safe to show.
#[must_use]
pub fn collector(status: &Status) -> String {
    let socket = printable(&status.place.socket.to_string_lossy()).to_string();
    match &status.collector {
        Collector::Listening => format!("listening at {socket}"),
        Collector::QueueFull => format!("not reading: the queue of {socket} is full"),
        Collector::NotListening(reason) => format!("not listening at {socket}: {}", printable(reason)),
        Collector::Unknown(reason) => format!("unknown: {socket}: {}", printable(reason)),
    }
}

fn store(status: &Status, stored: &Stored) -> String {
    let free = stored.disk.map(|disk| format!(", {} free", ByteSize(disk.free))).unwrap_or_default();
    let integrity = match &stored.damage {
        None => "",
        Some(damage) if damage.is_empty() => ", no damage found",
        Some(_) => ", damaged",
    };
    format!("{}, {}{free}{integrity}", printable(&status.place.store.to_string()), ByteSize(stored.size))
}

fn spool(status: &Status, found: &Result<SpoolState, Error>) -> String {
    let file = status.place.spool.to_string_lossy();
    format!("{}, {}", printable(&file), spool_in_words(found, status.now))
}

/// What waits in a spool.
#[must_use]
pub fn spool_in_words(found: &Result<SpoolState, Error>, now: Timestamp) -> String {
    match found {
        Err(error) if error.kind() == ErrorKind::Missing => "which does not exist".into(),
        Err(_) => "which cannot be read".into(),
        Ok(SpoolState { batches: 0, .. }) => "nothing waits".into(),
        Ok(SpoolState { batches, bytes, oldest, .. }) => {
            let age = oldest.map_or(0, |oldest| now.as_second().saturating_sub(oldest.as_second()).max(0));
            let (size, age) = (ByteSize(*bytes), SignedDuration::from_secs(age));
            format!("batches that wait: {batches}, {size}, the oldest for {age:#}")
        }
    }
}

/// When the last event came.
#[must_use]
pub fn last_event(status: &Status, stored: &Stored) -> String {
    match (stored.last_event, status.age()) {
        (Some(last), Some(age)) => {
            let age = SignedDuration::from_secs(i64::try_from(age).unwrap_or(i64::MAX));
            format!("{last:.0}, {age:#} ago")
        }
        _ => "none".into(),
    }
}

fn days(out: &mut impl Write, days: &[DayCounts]) -> io::Result<()> {
    let head = ["day (UTC)", "events", "failed", "domains", "invalid", "dropped"].map(str::to_owned);
    let cells = |counts: &DayCounts| {
        let DayCounts { day, events, failed, domains, invalid, dropped, .. } = counts;
        let numbers = [events, failed, domains, invalid, dropped].map(u64::to_string);
        let [events, failed, domains, invalid, dropped] = numbers;
        [day.to_string(), events, failed, domains, invalid, dropped]
    };
    let rows: Vec<_> = std::iter::once(head).chain(days.iter().take(DAYS).map(cells)).collect();
    // As narrow as the numbers permit: a narrow terminal breaks wide rows.
    let mut widths = [0; 6];
    for row in &rows {
        widths.iter_mut().zip(row).for_each(|(width, cell)| *width = cell.len().max(*width));
    }
    writeln!(out)?;
    for row in &rows {
        let [day, numbers @ ..] = row;
        write!(out, "{day:<0$}", widths[0])?;
        numbers.iter().zip(&widths[1..]).try_for_each(|(number, width)| write!(out, "  {number:>width$}"))?;
        writeln!(out)?;
    }
    Ok(())
}

fn worst(out: &mut impl Write, stored: &Stored) -> io::Result<()> {
    if stored.worst.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nDomains with most failures, today and yesterday")?;
    let names: Vec<_> = stored.worst.iter().map(|worst| printable(&worst.domain).to_string()).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).min(40);
    stored.worst.iter().zip(names).try_for_each(|(worst, name)| {
        writeln!(out, "  {name:width$}  {} of {} failed: {}", worst.failed, worst.events, why(&worst.reasons))
    })
}

fn why(reasons: &[Reason]) -> String {
    const LISTED: usize = 3;
    let mut listed: Vec<_> =
        reasons.iter().take(LISTED).map(|reason| format!("{} {}", reason.result_type, reason.times)).collect();
    if reasons.len() > LISTED {
        listed.push("...".into());
    }
    if listed.is_empty() { "no reason was reported".into() } else { listed.join(", ") }
}

fn invalid(out: &mut impl Write, stored: &Stored) -> io::Result<()> {
    if stored.invalid.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nInvalid datagrams, today and yesterday")?;
    stored.invalid.iter().try_for_each(|invalid| {
        writeln!(out, "  {}  {}: {}", invalid.day, printable(&invalid.reason), invalid.datagrams)
    })
}

fn hosts(out: &mut impl Write, stored: &Stored) -> io::Result<()> {
    if stored.hosts.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nHosts")?;
    stored.hosts.iter().try_for_each(|host| writeln!(out, "  {}", in_words(host)))
}

/// One domain.
///
/// # Errors
///
/// Those of `out`.
pub fn domain(out: &mut impl Write, domain: &Domain) -> io::Result<()> {
    for (index, DomainDay { day, policies }) in domain.days.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        domain_day(out, &domain.name, *day, policies)?;
    }
    Ok(())
}

fn domain_day(out: &mut impl Write, name: &str, day: Date, policies: &[PolicyCounts]) -> io::Result<()> {
    let name = printable(name);
    if policies.is_empty() {
        return writeln!(out, "{name} on {day}: no sessions");
    }
    let failed: u64 = policies.iter().map(|policy| policy.failed).sum();
    let sessions: u64 = policies.iter().map(|policy| policy.succeeded).sum::<u64>() + failed;
    writeln!(out, "{name} on {day}: {}, {failed} failed", number_of(sessions, "session"))?;
    let mut record = None;
    for counts in policies {
        if record != Some(&counts.record) {
            record = Some(&counts.record);
            writeln!(out)?;
            line(out, "record", printable(&counts.record))?;
        }
        policy(out, counts)?;
    }
    Ok(())
}

fn policy(out: &mut impl Write, counts: &PolicyCounts) -> io::Result<()> {
    let sessions = counts.succeeded + counts.failed;
    let name = counts.policy.as_ref().map_or("policies over the limit of the day".into(), policy_name);
    line(out, "policy", format_args!("{name}: {}, {} failed", number_of(sessions, "session"), counts.failed))?;
    if let Some(PolicyDescription { policy_string, mx_host, others, .. }) = &counts.policy {
        policy_string.iter().flatten().try_for_each(|text| line(out, "", printable(text)))?;
        mx_host.iter().flatten().try_for_each(|pattern| line(out, "mx-host", printable(pattern)))?;
        others.iter().try_for_each(|(name, value)| {
            line(out, "", format_args!("{}: {}", printable(name), printable(&value.to_string())))
        })?;
    }
    counts.failures.iter().try_for_each(|counts| failure(out, counts))
}

fn policy_name(policy: &PolicyDescription) -> String {
    let kind = policy.policy_type().map_or_else(|number| format!("of the unknown type {number}"), Into::into);
    let domain = policy.policy_domain.iter().map(|domain| format!(" of {}", printable(domain))).collect::<String>();
    format!("{kind}{domain}")
}

fn failure(out: &mut impl Write, counts: &FailureCounts) -> io::Result<()> {
    let times = number_of(counts.times, "time");
    let Some(failure) = &counts.failure else {
        return line(out, "failure", format_args!("{times}: failures over the limit of the day"));
    };
    let meaning = failure.failure_type().map(|kind| format!(": {}", kind.definition().meaning)).unwrap_or_default();
    line(out, "failure", format_args!("{times} {}{meaning}", result_type(failure)))?;
    failure.details.known().try_for_each(|(member, value)| {
        line(out, "", format_args!("{}: {}", FailureMember::rfc_name(member), printable(value)))
    })
}

/// "1 session", "2 sessions".
fn number_of(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn line(out: &mut impl Write, label: &str, text: impl Display) -> io::Result<()> {
    writeln!(out, "  {label:<8} {text}")
}
