//! A report in words, for people.

use std::{
    fmt::{self, Display},
    io::{self, Write},
};

use tlsrpt::FailureMember::{
    self, AdditionalInformation, FailureReasonCode, ReceivingIp, ReceivingMxHelo, ReceivingMxHostname, SendingMtaIp,
};
use tlsrpt::PolicyType;
use tlsrpt_format::printable;

use crate::{FailureEntry, Found, PolicyEntry, Report, advice};

/// A report with its place.
///
/// # Errors
///
/// Those of `out`.
pub fn found(out: &mut impl Write, found: &Found) -> io::Result<()> {
    heading(out, &found.report)?;
    labelled(out, "read from", printable(&found.place))?;
    report(out, &found.report)
}

/// A report without its heading.
///
/// # Errors
///
/// Those of `out`.
pub fn report(out: &mut impl Write, report: &Report) -> io::Result<()> {
    labelled(out, "report id", or_none(&report.report_id))?;
    labelled(out, "contact", or_none(report.contact.as_deref().unwrap_or_default()))?;
    labelled(out, "sessions", sessions(report.succeeded(), report.failed()))?;
    report.policies.iter().try_for_each(|entry| policy(out, entry))?;
    advices(out, report)?;
    if report.left_out > 0 || report.shortened > 0 {
        let Report { left_out, shortened, .. } = report;
        writeln!(out, "\n  Too much for a report: {left_out} entries are left out, {shortened} texts are shortened.")?;
    }
    if !report.departures.is_empty() {
        writeln!(out, "\n  The report departs from RFC 8460")?;
        report.departures.iter().try_for_each(|departure| writeln!(out, "    {departure}"))?;
    }
    Ok(())
}

/// Who sent the report, about what and for when.
///
/// # Errors
///
/// Those of `out`.
pub fn heading(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let day = report.day().map_or("an unknown day".into(), |day| day.to_string());
    let from = if report.organization.is_empty() { "an unknown organization" } else { &report.organization };
    writeln!(out, "{} on {day}, reported by {}", printable(&domains(report)), printable(from))
}

/// The most policy domains that a heading names.
const NAMED: usize = 3;

fn domains(report: &Report) -> String {
    let all = report.domains();
    match all.len() {
        0 => "an unknown domain".into(),
        number if number > NAMED => format!("{} and {} domains more", all[..NAMED].join(", "), number - NAMED),
        _ => all.join(", "),
    }
}

fn or_none(text: &str) -> String {
    if text.is_empty() { "none".into() } else { printable(text).to_string() }
}

fn sessions(succeeded: u64, failed: u64) -> String {
    format!("{succeeded} succeeded, {failed} failed")
}

fn labelled(out: &mut impl Write, label: &str, text: impl Display) -> io::Result<()> {
    writeln!(out, "  {label:<10}  {text}")
}

fn policy(out: &mut impl Write, entry: &PolicyEntry) -> io::Result<()> {
    let PolicyEntry { domain, succeeded, failed, .. } = entry;
    let domain = domain.as_deref().unwrap_or("an unknown domain");
    writeln!(out, "\n  {}, {}: {}", printable(domain), kind(entry), sessions(*succeeded, *failed))?;
    if *failed > 0 && entry.failures.is_empty() {
        writeln!(out, "    The report gives no reason for the failed sessions.")?;
    }
    entry.failures.iter().try_for_each(|entry| failure(out, entry))
}

fn kind(entry: &PolicyEntry) -> String {
    match entry.known_kind() {
        Some(PolicyType::Tlsa) => "DANE".into(),
        Some(PolicyType::Sts) => "MTA-STS".into(),
        Some(PolicyType::NoPolicyFound) => "no policy".into(),
        _ if entry.kind.is_empty() => "policy of an unknown type".into(),
        _ => format!("policy type {}", printable(&entry.kind)),
    }
}

fn failure(out: &mut impl Write, entry: &FailureEntry) -> io::Result<()> {
    let name = if entry.result_type.is_empty() { "without a result type" } else { &entry.result_type };
    writeln!(out, "    {} failed: {}{}", entry.sessions, printable(name), Where(entry))?;
    for (member, label) in [(FailureReasonCode, "reason"), (AdditionalInformation, "more"), (ReceivingMxHelo, "EHLO")] {
        if let Some(value) = entry.details.get(member) {
            writeln!(out, "      {label}: {}", printable(value))?;
        }
    }
    Ok(())
}

/// Where a failure happened: `, at mx.example.org (192.0.2.1), from 198.51.100.7`.
struct Where<'f>(&'f FailureEntry);

impl Display for Where<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let get = |member: FailureMember| self.0.details.get(member).map(printable);
        match (get(ReceivingMxHostname), get(ReceivingIp)) {
            (Some(host), Some(address)) => write!(out, ", at {host} ({address})")?,
            (Some(host), None) => write!(out, ", at {host}")?,
            (None, Some(address)) => write!(out, ", at {address}")?,
            (None, None) => {}
        }
        match get(SendingMtaIp) {
            Some(address) => write!(out, ", from {address}"),
            None => Ok(()),
        }
    }
}

/// What to do, once for each result type.
fn advices(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let mut told: Vec<&str> = Vec::new();
    let all = report.policies.iter().flat_map(|policy| policy.failures.iter().map(move |entry| (policy, entry)));
    for (policy, entry) in all {
        let known = entry.known_type();
        let name = known.map_or("another result type", |_| &entry.result_type);
        if told.contains(&name) {
            continue;
        }
        writeln!(out, "\n  {}: {}", printable(name), advice::meaning(known))?;
        let (domain, host) = (policy.domain_name(), entry.details.get(ReceivingMxHostname));
        writeln!(out, "    {}", advice::advice_with_names(known, domain.as_deref(), host))?;
        told.push(name);
    }
    Ok(())
}
