//! A report as the store keeps it.

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan, tz::TimeZone};
use tlsrpt_store::{NewReceived, ReceivedCounts};

use crate::{Found, PolicyEntry};

/// What stands for a result type that the RFC does not have: strangers could make up any number of them.
pub const OTHER_RESULT_TYPE: &str = "other";
/// What stands for a missing policy domain, or for one that is too long for a domain.
pub const NO_DOMAIN: &str = "(no domain)";
/// The longest name of a domain.
const LONGEST_DOMAIN: usize = 253;

/// The report, which arrived now. `signature` is what its DKIM signature says, in words.
#[must_use]
pub fn to_keep(found: &Found, signature: String, now: Timestamp) -> NewReceived {
    let report = &found.report;
    let yesterday = || now.to_zoned(TimeZone::UTC).date().saturating_sub(1.day());
    NewReceived {
        organization: report.organization.clone(),
        report_id: report.report_id.clone(),
        day: report.day().unwrap_or_else(yesterday),
        arrived: now,
        signature,
        json: found.json.clone(),
        counts: counts(&report.policies),
    }
}

/// Sums by domain and result type.
fn counts(policies: &[PolicyEntry]) -> Vec<ReceivedCounts> {
    let mut domains: BTreeMap<String, (u64, u64, BTreeMap<&str, u64>)> = BTreeMap::new();
    for policy in policies {
        let name = policy.domain_name().filter(|name| !name.is_empty() && name.len() <= LONGEST_DOMAIN);
        let (succeeded, failed, failures) = domains.entry(name.unwrap_or_else(|| NO_DOMAIN.into())).or_default();
        *succeeded = succeeded.saturating_add(policy.succeeded);
        *failed = failed.saturating_add(policy.failed);
        for failure in &policy.failures {
            let name = failure.known_type().and_then(tlsrpt::FailureType::rfc_name).unwrap_or(OTHER_RESULT_TYPE);
            let sessions = failures.entry(name).or_default();
            *sessions = sessions.saturating_add(failure.sessions);
        }
    }
    let counts = |(domain, (succeeded, failed, failures)): (String, (u64, u64, BTreeMap<&str, u64>))| ReceivedCounts {
        domain,
        succeeded,
        failed,
        failures: failures.into_iter().map(|(name, sessions)| (name.to_owned(), sessions)).collect(),
    };
    domains.into_iter().map(counts).collect()
}
