//! The results under each policy of a report.

use maud::{Markup, html};
use tlsrpt::PolicyType;

use crate::{
    plot,
    words::{grouped, meaning, number_of, shown},
};

/// How many failures of a policy are shown. The JSON has all.
const MOST_FAILURES: usize = 200;
/// How many lines of a policy are shown.
const MOST_LINES: usize = 50;

/// The sessions under one policy.
#[derive(Debug)]
pub(crate) struct PolicyResults {
    /// The policy type: `sts`.
    pub(crate) kind: String,
    /// The domain of the policy.
    pub(crate) domain: Option<String>,
    /// The lines of an MTA-STS policy, or the TLSA records.
    pub(crate) lines: Vec<String>,
    /// The MX host patterns, and other members as text.
    pub(crate) members: Vec<(String, String)>,
    pub(crate) succeeded: u64,
    pub(crate) failed: u64,
    pub(crate) failures: Vec<FailureResults>,
}

/// A failure and how often it happened.
#[derive(Debug)]
pub(crate) struct FailureResults {
    pub(crate) result_type: Option<String>,
    pub(crate) sessions: u64,
    /// Where and why: members by name.
    pub(crate) details: Vec<(String, String)>,
    /// What to do, if the reader can do anything. It is from the table of advice, whose names of hosts are plain and bounded, and it is
    /// shown to its end.
    pub(crate) remedy: Option<String>,
}

/// The numbers of all policies together.
pub(crate) fn tiles(policies: &[PolicyResults]) -> Markup {
    let sum = |number: fn(&PolicyResults) -> u64| {
        policies.iter().fold(0, |sum: u64, policy| sum.saturating_add(number(policy)))
    };
    let (succeeded, failed) = (sum(|policy| policy.succeeded), sum(|policy| policy.failed));
    html! {
        dl.tiles {
            div { dt { "Sessions" } dd { (grouped(succeeded.saturating_add(failed))) } }
            div { dt { "Policy met" } dd { (grouped(succeeded)) } }
            div.(if failed > 0 { "failed" } else { "none" }) { dt { "Failed" } dd { (grouped(failed)) } }
            div { dt { "Policies" } dd { (policies.len()) } }
        }
    }
}

/// A section for each policy.
pub(crate) fn policies(policies: &[PolicyResults]) -> Markup {
    html! {
        @for policy in policies { (one(policy)) }
        @if policies.is_empty() { section { p.dim { "The report has no policies." } } }
    }
}

fn one(policy: &PolicyResults) -> Markup {
    let all = policy.succeeded.saturating_add(policy.failed);
    html! {
        section {
            h2 { (kind_in_words(&policy.kind)) @if let Some(domain) = &policy.domain { " " (shown(domain)) } }
            p {
                (number_of(all, "session")) ": " (grouped(policy.succeeded)) " met the policy, " (grouped(policy.failed)) " failed"
                (plot::two_shares((policy.failed, "failed"), (policy.succeeded, "met"), all))
            }
            @if !policy.lines.is_empty() {
                div.lines { @for line in policy.lines.iter().take(MOST_LINES) { code { (shown(line)) } } }
            }
            (members(&policy.members))
            @if !policy.failures.is_empty() { (failures(policy)) }
        }
    }
}

/// A section with the failed sessions by reason, and what to do about each. Nothing if there are none.
pub(crate) fn reasons(mut failures: Vec<FailureResults>) -> Markup {
    failures.sort_by_key(|failure| std::cmp::Reverse(failure.sessions));
    let failed = failures.iter().fold(0, |sum: u64, failure| sum.saturating_add(failure.sessions));
    html! {
        @if failed > 0 {
            section { h2 { "Failures by reason" } (failures_of(failures.iter().collect(), failed)) }
        }
    }
}

/// The policy types of RFC 8460 section 4.2.
fn kind_in_words(kind: &str) -> Markup {
    match PolicyType::from_rfc_name(kind) {
        Some(PolicyType::Sts) => html! { "MTA-STS policy of" },
        Some(PolicyType::Tlsa) => html! { "DANE policy (TLSA) of" },
        Some(PolicyType::NoPolicyFound) => html! { "No policy found for" },
        _ => html! { "Policy of type " (shown(kind)) " of" },
    }
}

fn members(members: &[(String, String)]) -> Markup {
    html! {
        @if !members.is_empty() {
            dl.facts { @for (name, value) in members.iter().take(MOST_LINES) { dt { (shown(name)) } dd { (shown(value)) } } }
        }
    }
}

fn failures(policy: &PolicyResults) -> Markup {
    let mut failures: Vec<_> = policy.failures.iter().collect();
    failures.sort_by_key(|failure| std::cmp::Reverse(failure.sessions));
    failures_of(failures, policy.failed)
}

/// A table of failures, the most frequent first, of so many failed sessions.
fn failures_of(failures: Vec<&FailureResults>, failed: u64) -> Markup {
    let left_out = failures.len().saturating_sub(MOST_FAILURES);
    html! {
        table.ranked {
            thead { tr { th scope="col" { "Failure" } th scope="col" { "Sessions" } } }
            tbody { @for failure in failures.into_iter().take(MOST_FAILURES) {
                tr {
                    th scope="row" {
                        strong { (shown(failure.result_type.as_deref().unwrap_or("without a result type"))) }
                        @if let Some(meaning) = failure.result_type.as_deref().and_then(meaning) { div.dim { (meaning) } }
                        @if let Some(remedy) = &failure.remedy { div { (remedy) } }
                        (members(&failure.details))
                        (plot::share(failure.sessions, failed, "failed"))
                    }
                    td { (grouped(failure.sessions)) }
                }
            } }
        }
        @if left_out > 0 { p.dim { "and " (number_of(left_out as u64, "failure")) " more" } }
    }
}
