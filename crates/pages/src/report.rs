//! A report in the store, and its deliveries.

use jiff::Timestamp;
use maud::{Markup, html};
use serde_json::{Map, Value};
use tlsrpt_format::printable_json;
use tlsrpt_store::{Delivery, KeptReport};

use crate::{
    frame,
    results::{self, FailureResults, PolicyResults},
    words::{bounded, grouped, shown, time},
};

/// The longest report whose JSON text is on the page, in bytes.
const LONGEST_JSON: usize = 256 << 10;

/// What the page shows.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// The report.
    pub report: &'a KeptReport,
    /// Its deliveries.
    pub deliveries: &'a [Delivery],
    /// Its JSON.
    pub document: &'a Value,
    /// The time of the page.
    pub now: Timestamp,
}

/// The page.
#[must_use]
pub fn report(Report { report, deliveries, document, now }: Report<'_>) -> String {
    let policies = policies(document);
    let body = html! {
        (heading(report, document))
        (results::tiles(&policies))
        (all_deliveries(deliveries))
        (results::policies(&policies))
        (as_json(report.id, document))
    };
    frame::page(&format!("TLS report about {}, {}", bounded(&report.domain), report.day), now, &body)
}

fn heading(report: &KeptReport, document: &Value) -> Markup {
    let member = |name: &str| document.get(name).and_then(Value::as_str).unwrap_or_default();
    html! {
        section {
            dl.facts {
                dt { "From" } dd { (shown(member("organization-name"))) ", " (shown(member("contact-info"))) }
                dt { "Report id" } dd { (shown(&report.report_id)) }
                dt { "Made" }
                dd { (time(report.made)) @if report.number > 1 { ", number " (report.number) " about this domain and day" } }
                dt { "File" } dd { (shown(&report.file_name)) ", " (grouped(report.compressed.len() as u64)) " bytes" }
            }
        }
    }
}

fn all_deliveries(deliveries: &[Delivery]) -> Markup {
    html! {
        section {
            h2 { "Deliveries" }
            @if deliveries.is_empty() { p.dim { "The report has no destination." } }
            ul.plain { @for delivery in deliveries { li { (one_delivery(delivery)) } } }
        }
    }
}

fn one_delivery(delivery: &Delivery) -> Markup {
    let state = delivery.state.name();
    let moments = [
        ("First attempt", delivery.first_attempt),
        ("Last attempt", delivery.last_attempt),
        ("Next attempt", delivery.next_attempt),
    ];
    html! {
        h3 { (shown(&delivery.destination)) " " span.badge.(state) { (state) } }
        dl.facts {
            dt { "Attempts" } dd { (delivery.attempts) }
            @for (name, at) in moments { @if let Some(at) = at { dt { (name) } dd { (time(at)) } } }
            @if !delivery.answer.is_empty() { dt { "Answer" } dd { (shown(&delivery.answer)) } }
            @if let Some(warning) = &delivery.warning { dt { "Warning" } dd { (shown(warning)) } }
            @if delivery.unknown {
                dt { "Unknown" } dd { "An attempt ended without an answer: the destination may have the report already." }
            }
        }
    }
}

fn as_json(id: i64, document: &Value) -> Markup {
    let text = format!("{document:#}");
    html! {
        section {
            h2 { "JSON" }
            @if text.len() > LONGEST_JSON {
                p { "The report is too long for this page; run: " code { "tlsrpt reports show " (id) " --format json" } }
            } @else {
                details { summary { "The report as it is sent, unpacked" } pre { (printable_json(&text).to_string()) } }
            }
        }
    }
}

/// The policies of a report of this project.
fn policies(document: &Value) -> Vec<PolicyResults> {
    document.get("policies").and_then(Value::as_array).into_iter().flatten().map(policy).collect()
}

fn policy(results: &Value) -> PolicyResults {
    let empty = Map::new();
    let members = results["policy"].as_object().unwrap_or(&empty);
    let text = |name: &str| members.get(name).and_then(Value::as_str).map(str::to_owned);
    let lines = members.get("policy-string").and_then(Value::as_array).into_iter().flatten();
    let others =
        members.iter().filter(|(name, _)| !["policy-type", "policy-domain", "policy-string"].contains(&name.as_str()));
    let count = |name: &str| results["summary"][name].as_u64().unwrap_or(0);
    PolicyResults {
        kind: text("policy-type").unwrap_or_default(),
        domain: text("policy-domain"),
        lines: lines.map(in_words).collect(),
        members: others.map(|(name, value)| (name.clone(), in_words(value))).collect(),
        succeeded: count("total-successful-session-count"),
        failed: count("total-failure-session-count"),
        failures: results["failure-details"].as_array().into_iter().flatten().map(failure).collect(),
    }
}

fn failure(failure: &Value) -> FailureResults {
    let empty = Map::new();
    let members = failure.as_object().unwrap_or(&empty);
    let details = members.iter().filter(|(name, _)| !["result-type", "failed-session-count"].contains(&name.as_str()));
    FailureResults {
        result_type: failure["result-type"].as_str().map(str::to_owned),
        sessions: failure["failed-session-count"].as_u64().unwrap_or(0),
        details: details.map(|(name, value)| (name.clone(), in_words(value))).collect(),
        remedy: None,
    }
}

/// A text as it is, a list with commas, anything else as JSON.
fn in_words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(in_words).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
