//! Reports that others sent: those of files, and the days of the kept ones.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use maud::{Markup, html};
use tlsrpt::{FailureMember, FailureType};
use tlsrpt_received::{
    FailureEntry, Found, PolicyEntry, Problem, Report, advice,
    history::{DomainDay, Run},
};
use tlsrpt_store::Reason;

use crate::{
    frame, plot,
    results::{self, FailureResults, PolicyResults},
    words::{self, bounded, grouped, number_of, shown, time},
};

/// The most problems and departures that are listed.
const MOST_LISTED: usize = 50;
/// The most rows of a table.
const MOST_ROWS: usize = 500;
/// The most organizations that a row names.
const MOST_NAMED: usize = 5;

/// What `tlsrpt read` found.
#[derive(Debug, Clone, Copy)]
pub struct ReadReports<'a> {
    /// The reports that are on the page.
    pub reports: &'a [Found],
    /// How many more there are.
    pub left_out: u64,
    /// What cannot be read.
    pub problems: &'a [Problem],
    /// The time of the page.
    pub now: Timestamp,
}

/// The page of reports in files.
#[must_use]
pub fn read_reports(ReadReports { reports, left_out, problems, now }: ReadReports<'_>) -> String {
    let days = reports.iter().flat_map(|found| days_of(&found.report)).collect();
    let body = html! {
        @if reports.len() > 1 { (sessions_by_day(days)) }
        @for found in reports { (one(found, reports.len() > 1)) }
        @if left_out > 0 {
            section { p { "The page leaves out " (number_of(left_out, "report")) "; read fewer files, or use " code { "--format json" } } }
        }
        @if reports.is_empty() { section { p.dim { "There is no report in what was read." } } }
        @if !problems.is_empty() {
            section {
                h2 { "What cannot be read" }
                ul.plain { @for problem in problems.iter().take(MOST_LISTED) {
                    li { strong { (shown(&problem.place)) } ": " (shown(&problem.reason)) }
                } }
            }
        }
    };
    let title = match reports {
        [one] => format!("TLS report from {}", bounded(name_or(&one.report.organization, "an unknown organization"))),
        _ => "TLS reports from others".into(),
    };
    frame::page(&title, now, &body)
}

fn name_or<'t>(name: &'t str, other: &'t str) -> &'t str {
    if name.is_empty() { other } else { name }
}

/// The sessions of a report, if its day is known.
fn days_of(report: &Report) -> Option<(Date, [u64; 2])> {
    report.day().map(|day| (day, [report.failed(), report.succeeded()]))
}

fn one(found: &Found, has_heading: bool) -> Markup {
    let report = &found.report;
    let policies: Vec<_> = report.policies.iter().map(policy).collect();
    let range = |at: Option<Timestamp>| html! { @match at { Some(at) => (time(at)), None => "unknown" } };
    html! {
        section {
            @if has_heading { h2 { (shown(name_or(&report.organization, "an unknown organization"))) } }
            dl.facts {
                dt { "About" } dd { (names(&report.domains())) }
                dt { "From" } dd { (range(report.begin)) }
                dt { "To" } dd { (range(report.end)) }
                dt { "Report id" } dd { (shown(name_or(&report.report_id, "none"))) }
                dt { "Contact" } dd { (shown(report.contact.as_deref().unwrap_or("none"))) }
                dt { "Read from" } dd { (shown(&found.place)) }
            }
        }
        (results::tiles(&policies))
        (results::policies(&policies))
        (departures(report))
    }
}

fn names(names: &[String]) -> Markup {
    html! {
        @for (index, name) in names.iter().take(MOST_NAMED).enumerate() { @if index > 0 { ", " } (shown(name)) }
        @if names.len() > MOST_NAMED { " and " (grouped((names.len() - MOST_NAMED) as u64)) " more" }
        @if names.is_empty() { "unknown" }
    }
}

fn departures(report: &Report) -> Markup {
    let Report { departures, left_out, shortened, .. } = report;
    html! {
        @if !departures.is_empty() || *left_out > 0 || *shortened > 0 {
            section {
                h2 { "How the report departs from RFC 8460" }
                ul.plain {
                    @for departure in departures.iter().take(MOST_LISTED) { li { (shown(&departure.to_string())) } }
                    @if *left_out > 0 { li { "Too much for a report: " (number_of(*left_out, "entry")) " left out." } }
                    @if *shortened > 0 { li { "Too long for a report: " (number_of(*shortened, "text")) " shortened." } }
                }
            }
        }
    }
}

fn policy(entry: &PolicyEntry) -> PolicyResults {
    let hosts = entry.mx_hosts.join(", ");
    PolicyResults {
        kind: entry.kind.clone(),
        domain: entry.domain.clone(),
        lines: entry.lines.clone(),
        members: if hosts.is_empty() { Vec::new() } else { vec![("mx-host".into(), hosts)] },
        succeeded: entry.succeeded,
        failed: entry.failed,
        failures: entry.failures.iter().map(|failed| failure(failed, entry.domain_name().as_deref())).collect(),
    }
}

fn failure(entry: &FailureEntry, domain: Option<&str>) -> FailureResults {
    let known = |(member, value): (FailureMember, &str)| (member.rfc_name().to_string(), value.to_owned());
    FailureResults {
        result_type: Some(entry.result_type.clone()).filter(|name| !name.is_empty()),
        sessions: entry.sessions,
        details: entry.details.known().map(known).collect(),
        remedy: Some(advice::advice_with_names(
            entry.known_type(),
            domain,
            entry.details.get(FailureMember::ReceivingMxHostname),
        )),
    }
}

/// The plots of the sessions by day.
fn sessions_by_day(all: Vec<(Date, [u64; 2])>) -> Markup {
    let mut sums = BTreeMap::<Date, [u64; 2]>::new();
    for (day, [failed, met]) in all {
        let sum = sums.entry(day).or_default();
        *sum = [sum[0].saturating_add(failed), sum[1].saturating_add(met)];
    }
    let days: Vec<_> = sums.into_iter().rev().map(|(day, [failed, met])| plot::Sessions { day, failed, met }).collect();
    html! {
        @if !days.is_empty() {
            section { h2 { "Sessions and failures by day" } (plot::sessions(&days)) (plot::failed_sessions(&days)) }
        }
    }
}

/// The kept reports of others.
#[derive(Debug, Clone, Copy)]
pub struct History<'a> {
    /// The days of each domain, the newest first.
    pub days: &'a [DomainDay],
    /// The failures that last.
    pub runs: &'a [Run],
    /// The time of the page.
    pub now: Timestamp,
}

/// The page of the kept reports.
#[must_use]
pub fn history(History { days, runs, now }: History<'_>) -> String {
    let all = days.iter().map(|day| (day.day, [day.failed, day.succeeded])).collect();
    let body = html! {
        (lasting(runs))
        (sessions_by_day(all))
        (by_reason(days))
        (table(days))
    };
    frame::page("TLS reports from others", now, &body)
}

fn lasting(runs: &[Run]) -> Markup {
    html! {
        @if runs.is_empty() {
            section.verdict.good { "No organization reports failures in its latest reports." }
        } @else {
            section.verdict.bad {
                h2 { "Failures that last" }
                ul { @for Run { domain, organization, result_type, since, last, sessions } in runs.iter().take(MOST_LISTED) {
                    li {
                        (shown(domain)) ": " (shown(result_type)) " since " (since.to_string()) ", "
                        (number_of(*sessions, "session")) " until " (last.to_string()) ", reported by " (shown(organization))
                    }
                } }
                @if runs.len() > MOST_LISTED { p.dim { "and " (grouped((runs.len() - MOST_LISTED) as u64)) " more" } }
            }
        }
    }
}

fn by_reason(days: &[DomainDay]) -> Markup {
    let all: Vec<_> =
        days.iter().flat_map(|day| &day.failures).map(|(name, sessions)| reason(name, *sessions)).collect();
    let failures = Reason::sums(&all).into_iter().map(|Reason { result_type, times }| FailureResults {
        remedy: Some(advice::advice_with_names(
            FailureType::from_rfc_name(&result_type),
            only_domain(days, &result_type),
            None,
        )),
        result_type: Some(result_type),
        sessions: times,
        details: Vec::new(),
    });
    results::reasons(failures.collect())
}

/// The domain that has these failures, if it is the only one.
fn only_domain<'d>(days: &'d [DomainDay], result_type: &str) -> Option<&'d str> {
    let mut domains = days.iter().filter(|day| day.failures.contains_key(result_type)).map(|day| &*day.domain);
    let first = domains.next()?;
    domains.all(|domain| domain == first).then_some(first)
}

fn reason(result_type: &str, times: u64) -> Reason {
    Reason { result_type: result_type.to_owned(), times }
}

fn table(days: &[DomainDay]) -> Markup {
    html! {
        section {
            h2 { "By day and domain" }
            @if days.is_empty() { p.dim { "No reports are kept; tlsrpt receive keeps those that arrive." } }
            @else {
                div.wide { table.days {
                    thead { tr {
                        th scope="col" { "Day" } th.text scope="col" { "Domain" } th scope="col" { "Sessions" }
                        th scope="col" { "Failed" } th.text scope="col" { "Reported by" }
                    } }
                    tbody { @for day in days.iter().take(MOST_ROWS) { (row(day)) } }
                } }
                @if days.len() > MOST_ROWS { p.dim { "and " (grouped((days.len() - MOST_ROWS) as u64)) " more rows" } }
            }
        }
    }
}

fn row(day: &DomainDay) -> Markup {
    html! {
        tr {
            th scope="row" { (words::day(day.day)) }
            td.text { (shown(&day.domain)) }
            td { (grouped(day.succeeded.saturating_add(day.failed))) }
            td.(if day.failed > 0 { "failed" } else { "zero" }) { (grouped(day.failed)) }
            td.text { (names(&day.organizations)) }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::{Timestamp, civil::date};
    use tlsrpt_received::history::DomainDay;

    use super::by_reason;

    fn day(domain: &str) -> DomainDay {
        DomainDay {
            day: date(2026, 11, 24),
            domain: domain.into(),
            succeeded: 0,
            failed: 1,
            organizations: Vec::new(),
            failures: [("sts-policy-fetch-error".to_owned(), 1)].into(),
            arrived: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn the_advice_names_the_domain_if_it_is_the_only_one() {
        let one = by_reason(&[day("a.example"), day("a.example")]).into_string();
        assert!(one.contains("https://mta-sts.a.example/.well-known/mta-sts.txt"), "{one}");
        let long = "a".repeat(60) + ".example";
        let whole = by_reason(&[day(&long)]).into_string();
        assert!(whole.contains(&format!("remove the TXT record at _mta-sts.{long}.<")), "{whole}");
        let two = by_reason(&[day("a.example"), day("b.example")]).into_string();
        assert!(two.contains("https://mta-sts.DOMAIN/.well-known/mta-sts.txt"), "{two}");
    }
}
