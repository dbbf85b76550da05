//! For a browser: one page in one file, without scripts.

use bytesize::ByteSize;
use jiff::SignedDuration;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use tlsrpt_format::printable;
use tlsrpt_store::DayCounts;

use crate::{Reason, Status, Stored, collector::Collector, hosts::in_words, plot, text::spool_in_words};

const STYLE: &str = include_str!("style.css");

/// The whole host. Untrusted text is made printable, and then all text is escaped for HTML.
#[must_use]
pub fn status(status: &Status) -> String {
    let healthy = status.attention.is_empty();
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (if healthy { "TLSRPT" } else { "TLSRPT: needs attention" }) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    h1 { "TLSRPT" }
                    p.when { "As of " time datetime=(format!("{:.0}", status.now)) { (format!("{:.0}", status.now)) } }
                    (attention(&status.attention))
                    (facts(status))
                    @if let Ok(stored) = &status.stored { (counts(stored)) }
                }
            }
        }
    };
    page.into_string()
}

fn attention(lines: &[String]) -> Markup {
    html! {
        @if lines.is_empty() {
            p.good { "Nothing needs attention." }
        } @else {
            section.bad {
                h2 { "Needs attention" }
                ul { @for line in lines { li { (line) } } }
            }
        }
    }
}

fn facts(status: &Status) -> Markup {
    let socket = shown(&status.place.socket.to_string_lossy());
    let collector = match &status.collector {
        Collector::Listening => format!("listening at {socket}"),
        Collector::QueueFull => format!("not reading: the queue of {socket} is full"),
        Collector::NotListening(reason) => format!("not listening at {socket}: {}", shown(reason)),
        Collector::Unknown(reason) => format!("unknown: {socket}: {}", shown(reason)),
    };
    html! {
        dl {
            dt { "Collector" } dd { (collector) }
            dt { "Store" } dd { (shown(&status.place.store.to_string())) }
            @if let Some(spool) = &status.spool {
                dt { "Spool" } dd { (shown(&status.place.spool.to_string_lossy())) ", " (spool_in_words(spool, status.now)) }
            }
            @if let Ok(stored) = &status.stored {
                dt { "Size" } dd { (ByteSize(stored.size)) @if let Some(disk) = stored.disk { ", " (ByteSize(disk.free)) " free" } }
                dt { "Last event" } dd { (last_event(status, stored)) }
                dt { "Reports" } dd { "of " (stored.reports.day.to_string()) ": " (stored.reports.in_words()) }
            }
        }
    }
}

fn last_event(status: &Status, stored: &Stored) -> String {
    match (stored.last_event, status.age()) {
        (Some(last), Some(age)) => {
            let age = SignedDuration::from_secs(i64::try_from(age).unwrap_or(i64::MAX));
            format!("{last:.0}, {age:#} ago")
        }
        _ => "none".into(),
    }
}

fn counts(stored: &Stored) -> Markup {
    html! {
        section {
            h2 { "Events by day" }
            (plot::days(&stored.days))
            (table_of_days(&stored.days))
        }
        @if !stored.worst.is_empty() {
            section {
                h2 { "Domains with most failures, today and yesterday" }
                (table_of_domains(stored))
            }
            section {
                h2 { "Failures by reason" }
                (plot::reasons(&reasons(stored)))
            }
        }
        @if !stored.hosts.is_empty() {
            section {
                h2 { "Hosts" }
                ul { @for host in &stored.hosts { li { (in_words(host)) } } }
            }
        }
        @if !stored.invalid.is_empty() {
            section {
                h2 { "Invalid datagrams, today and yesterday" }
                ul {
                    @for invalid in &stored.invalid {
                        li { (invalid.day.to_string()) " " (shown(&invalid.reason)) ": " (invalid.datagrams) }
                    }
                }
            }
        }
    }
}

fn table_of_days(days: &[DayCounts]) -> Markup {
    const LISTED: usize = 7;
    html! {
        div.wide { table {
            thead { tr { th { "Day (UTC)" } th { "Events" } th { "Failed" } th { "Domains" } th { "Invalid" } th { "Dropped" } } }
            tbody { @for counts in days.iter().take(LISTED) {
                tr {
                    th scope="row" { (counts.day.to_string()) }
                    @for number in [counts.events, counts.failed, counts.domains, counts.invalid, counts.dropped] {
                        td { (number) }
                    }
                }
            } }
        } }
    }
}

fn table_of_domains(stored: &Stored) -> Markup {
    html! {
        div.wide { table.names {
            thead { tr { th { "Domain" } th { "Failed" } th { "Events" } th.text { "Why" } } }
            tbody { @for worst in &stored.worst {
                tr {
                    th scope="row" { (shown(&worst.domain)) }
                    td { (worst.failed) }
                    td { (worst.events) }
                    td.text { @for (index, reason) in worst.reasons.iter().enumerate() {
                        @if index > 0 { ", " }
                        (reason.result_type) " " (reason.times)
                    } }
                }
            } }
        } }
    }
}

/// The reasons of the listed domains, summed up.
fn reasons(stored: &Stored) -> Vec<Reason> {
    let mut sums = std::collections::BTreeMap::<&str, u64>::new();
    for reason in stored.worst.iter().flat_map(|worst| &worst.reasons) {
        *sums.entry(&reason.result_type).or_default() += reason.times;
    }
    let mut reasons: Vec<_> =
        sums.into_iter().map(|(name, times)| Reason { result_type: name.into(), times }).collect();
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.times));
    reasons
}

fn shown(text: &str) -> String {
    printable(text).to_string()
}
