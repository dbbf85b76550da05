//! The status of a host.

use bytesize::ByteSize;
use jiff::civil::Date;
use maud::{Markup, html};
use tlsrpt_status::{Reason, Reports, Status, Stored, Worst, hosts::in_words, text};
use tlsrpt_store::{DayCounts, DeliveryState};

use crate::{
    frame, plot,
    words::{self, age_in_words, grouped, meaning, number_of, percent, short, shown, time},
};

/// How many days have a row that is shown without a click.
const LISTED_DAYS: usize = 7;
/// How many days are on the page at most. `tlsrpt status --format json` has all.
const MOST_DAYS: usize = 90;

/// The page.
#[must_use]
pub fn status(status: &Status) -> String {
    let healthy = status.attention.is_empty();
    let body = html! {
        (verdict(status))
        @if let Ok(stored) = &status.stored { (tiles(status, stored)) }
        @if let Ok(stored) = &status.stored { (counts(stored)) }
        (facts(status))
    };
    frame::page(if healthy { "TLSRPT status" } else { "TLSRPT status: needs attention" }, status.now, &body)
}

fn verdict(Status { attention, notes, .. }: &Status) -> Markup {
    html! {
        @if attention.is_empty() {
            section.verdict.good { "Nothing needs attention." }
        } @else {
            section.verdict.bad {
                h2 { "Needs attention" }
                ul { @for line in attention { li { (line) } } }
            }
        }
        @if !notes.is_empty() {
            section.verdict.doubt {
                h2 { "Notes" }
                ul { @for line in notes { li { (line) } } }
            }
        }
    }
}

fn tiles(status: &Status, stored: &Stored) -> Markup {
    let day = |index: usize| stored.days.get(index);
    let (events, failed, domains) = day(0).map_or((0, 0, 0), |day| (day.events, day.failed, day.domains));
    let Reports { made, deliveries, .. } = &stored.reports;
    html! {
        dl.tiles {
            div {
                dt { "Sessions today" }
                dd title=(grouped(events)) { (short(events)) }
                @if let Some(before) = day(1) { dd.more { "yesterday " (short(before.events)) } }
            }
            div.(if failed > 0 { "failed" } else { "none" }) {
                dt { "Failed today" }
                dd title=(grouped(failed)) { (short(failed)) }
                dd.more { (percent(failed, events)) " of the sessions" }
            }
            div {
                dt { "Domains today" }
                dd title=(grouped(domains)) { (short(domains)) }
                @if let Some(before) = day(1) { dd.more { "yesterday " (short(before.domains)) } }
            }
            div {
                dt { "Yesterday's reports" }
                dd title=(grouped(*made)) { (short(*made)) }
                dd.more { (deliveries_in_words(deliveries, "no delivery")) }
            }
            div {
                dt { "Last event" }
                @match (stored.last_event, status.age()) {
                    (Some(last), Some(age)) => { dd { (age_in_words(age)) } dd.more { (time(last)) } }
                    _ => { dd { "none" } }
                }
            }
        }
    }
}

/// `11 delivered, 1 waiting`.
fn deliveries_in_words(deliveries: &[(DeliveryState, u64)], none: &str) -> String {
    let states: Vec<_> = deliveries
        .iter()
        .filter(|(_, number)| *number > 0)
        .map(|(state, number)| format!("{} {}", grouped(*number), state.name()))
        .collect();
    if states.is_empty() { none.into() } else { states.join(", ") }
}

fn counts(stored: &Stored) -> Markup {
    html! {
        (sessions(&stored.days))
        div.columns {
            (domains(&stored.worst))
            (reasons(&stored.worst))
        }
        (deliveries(&stored.reports_by_day))
        @if !stored.invalid.is_empty() {
            section {
                h2 { "Invalid datagrams, today and yesterday" }
                ul.plain {
                    @for invalid in &stored.invalid {
                        li { (invalid.day.to_string()) " " (shown(&invalid.reason)) ": " (grouped(invalid.datagrams)) }
                    }
                }
            }
        }
    }
}

fn sessions(days: &[DayCounts]) -> Markup {
    let of_day = |&DayCounts { day, events, failed, .. }: &DayCounts| plot::Sessions {
        day,
        failed,
        met: events.saturating_sub(failed),
    };
    let all: Vec<_> = days.iter().map(of_day).collect();
    let newest: Vec<_> = days.iter().take(MOST_DAYS).collect();
    let any = |number: fn(&DayCounts) -> u64| days.iter().any(|day| number(day) > 0);
    html! {
        section {
            h2 { "Sessions and failures by day" }
            @if any(|day| day.events) {
                (plot::sessions(&all))
                (plot::failed_sessions(&all))
                @if !any(|day| day.failed) { p.dim { "No session failed." } }
            } @else {
                p.dim { "No mail server has sent an event yet." }
            }
            @if any(|day| day.events) || any(|day| day.invalid) || any(|day| day.dropped) { (folded(&newest, table_of_days)) }
        }
    }
}

/// A table of the first days, and one of the others that opens by a click.
fn folded<D>(days: &[D], table: impl Fn(&[D]) -> Markup) -> Markup {
    let (first, others) = days.split_at(days.len().min(LISTED_DAYS));
    html! {
        (table(first))
        @if !others.is_empty() {
            details { summary { (number_of(others.len() as u64, "day")) " before" } (table(others)) }
        }
    }
}

fn table_of_days(days: &[&DayCounts]) -> Markup {
    /// Whether a day has such datagrams, and their number.
    type Fault = (&'static str, fn(&DayCounts) -> u64);
    const FAULTS: [Fault; 2] = [("Invalid", |day| day.invalid), ("Dropped", |day| day.dropped)];
    let faults: Vec<_> = FAULTS.into_iter().filter(|(_, number)| days.iter().any(|day| number(day) > 0)).collect();
    html! {
        div.wide { table.days {
            thead { tr {
                th scope="col" { "Day" } th scope="col" { "Sessions" } th scope="col" { "Failed" }
                th scope="col" { "Domains" }
                @for (name, _) in &faults { th scope="col" { (name) } }
            } }
            tbody { @for counts in days {
                tr {
                    th scope="row" { (words::day(counts.day)) }
                    td { (grouped(counts.events)) }
                    (bad_number(counts.failed))
                    td { (grouped(counts.domains)) }
                    @for (_, number) in &faults { (bad_number(number(counts))) }
                }
            } }
        } }
    }
}

/// A number that is good only if it is 0.
fn bad_number(number: u64) -> Markup {
    html! { td.(if number > 0 { "failed" } else { "zero" }) { (grouped(number)) } }
}

fn domains(worst: &[Worst]) -> Markup {
    const REASONS: usize = 3;
    let most = worst.iter().map(|worst| worst.events).max().unwrap_or(0);
    html! {
        section {
            h2 { "Domains with most failures, today and yesterday" }
            @if worst.is_empty() {
                p.dim { "No domain had a failed session." }
            } @else {
                table.ranked {
                    thead { tr {
                        th scope="col" { "Domain" } th scope="col" { "Failed" } th scope="col" { "Sessions" }
                    } }
                    tbody { @for domain in worst {
                        tr {
                            th scope="row" {
                                (shown(&domain.domain))
                                div.dim.small { (in_one_line(&domain.reasons, REASONS)) }
                                (plot::two_shares((domain.failed, "failed"), (domain.events.saturating_sub(domain.failed), "met"), most))
                            }
                            td.failed { (grouped(domain.failed)) }
                            td { (grouped(domain.events)) }
                        }
                    } }
                }
            }
        }
    }
}

fn in_one_line(reasons: &[Reason], most: usize) -> String {
    let mut listed: Vec<_> = reasons
        .iter()
        .take(most)
        .map(|Reason { result_type, times }| format!("{result_type} {}", grouped(*times)))
        .collect();
    if reasons.len() > most {
        listed.push("...".into());
    }
    listed.join(", ")
}

fn reasons(worst: &[Worst]) -> Markup {
    let reasons = Reason::sums(worst.iter().flat_map(|worst| &worst.reasons));
    let all = reasons.iter().fold(0, |sum: u64, reason| sum.saturating_add(reason.times));
    html! {
        @if !reasons.is_empty() {
            section {
                h2 { "Failures of these domains by reason" }
                table.ranked {
                    thead { tr { th scope="col" { "Reason" } th scope="col" { "Failures" } } }
                    tbody { @for Reason { result_type, times } in &reasons {
                        tr {
                            th scope="row" {
                                (result_type)
                                @if let Some(meaning) = meaning(result_type) { div.dim.small { (meaning) } }
                                (plot::share(*times, all, "failed"))
                            }
                            td { (grouped(*times)) }
                        }
                    } }
                }
            }
        }
    }
}

fn deliveries(reports: &[Reports]) -> Markup {
    let states: Vec<_> = DeliveryState::ALL.into_iter().filter(|state| is_listed(*state, reports)).collect();
    let series: Vec<_> = states.iter().map(|state| plot::Series { name: state.name(), class: state.name() }).collect();
    let day = |reports: &Reports| plot::Day {
        day: reports.day,
        parts: states.iter().map(|state| reports.in_state(*state)).collect(),
        words: format!(
            "{}; deliveries: {}",
            number_of(reports.made, "report"),
            deliveries_in_words(&reports.deliveries, "none")
        ),
    };
    let days: Vec<_> = reports.iter().map(day).collect();
    let made: Vec<_> = reports.iter().filter(|reports| reports.made > 0).collect();
    html! {
        section {
            h2 { "Deliveries of reports by day" }
            @if !made.is_empty() {
                (plot::Days { title: "Deliveries", series: &series, days: &days }.draw())
                (folded(&made, |days| table_of_deliveries(days, &states)))
            } @else if let (Some(newest), Some(oldest)) = (reports.first(), reports.last()) {
                p.dim { "No reports about " (between(oldest.day, newest.day)) ". tlsrpt deliver makes and sends them." }
            }
        }
    }
}

/// Whether there are deliveries in this state, or may be on any good day.
fn is_listed(state: DeliveryState, reports: &[Reports]) -> bool {
    let is_usual = matches!(state, DeliveryState::Waiting | DeliveryState::Delivered | DeliveryState::Failed);
    is_usual || reports.iter().any(|reports| reports.in_state(state) > 0)
}

fn between(oldest: Date, newest: Date) -> String {
    if oldest == newest { newest.to_string() } else { format!("{oldest} to {newest}") }
}

fn table_of_deliveries(reports: &[&Reports], states: &[DeliveryState]) -> Markup {
    html! {
        div.wide { table.days {
            thead { tr {
                th scope="col" { "About" } th scope="col" { "Reports" }
                @for state in states { th scope="col" { (capitalized(state.name())) } }
            } }
            tbody { @for day in reports {
                tr {
                    th scope="row" { (words::day(day.day)) }
                    td { (grouped(day.made)) }
                    @for state in states {
                        @let number = day.in_state(*state);
                        @if *state == DeliveryState::Failed { (bad_number(number)) }
                        @else { td.(if number > 0 { "some" } else { "zero" }) { (grouped(number)) } }
                    }
                }
            } }
        } }
    }
}

fn capitalized(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_uppercase() + rest
}

fn facts(status: &Status) -> Markup {
    html! {
        section {
            h2 { "This host" }
            dl.facts {
                dt { "Collector" }
                dd { (text::collector(status)) }
                dt { "Store" } dd { (shown(&status.place.store.to_string())) }
                @if let Some(spool) = &status.spool {
                    dt { "Spool" }
                    dd { (shown(&status.place.spool.to_string_lossy())) ", " (text::spool_in_words(spool, status.now)) }
                }
                @if let Ok(stored) = &status.stored {
                    dt { "Size" }
                    dd { (ByteSize(stored.size).to_string()) @if let Some(disk) = stored.disk { ", " (ByteSize(disk.free).to_string()) " free" } }
                    dt { "Last event" } dd { (text::last_event(status, stored)) }
                    dt { "Reports" } dd { "of " (stored.reports.day.to_string()) ": " (stored.reports.in_words()) }
                    @if !stored.hosts.is_empty() {
                        dt { "Hosts" }
                        dd { ul.plain { @for host in &stored.hosts { li { (in_words(host)) } } } }
                    }
                }
            }
        }
    }
}
