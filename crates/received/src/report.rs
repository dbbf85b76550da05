//! The model of one report.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use tlsrpt::{FailureType, PolicyType};
use tlsrpt_format::datagram::{FailureDetails, normalized_domain};

use crate::Departure;

/// A report that somebody sent. Its texts are as the sender wrote them: show them through [`tlsrpt_format::printable`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The name of the organization that sent it. Empty if the report names none.
    pub organization: String,
    /// The id that the organization gave it. Empty if the report has none.
    pub report_id: String,
    /// Whom to ask about it.
    pub contact: Option<String>,
    /// When the sessions of the report begin.
    pub begin: Option<Timestamp>,
    /// When they end.
    pub end: Option<Timestamp>,
    /// The sessions under each policy.
    pub policies: Vec<PolicyEntry>,
    /// How the report departs from RFC 8460.
    pub departures: Vec<Departure>,
    /// The number of policies and failures beyond the limits, which are not in `policies`.
    pub left_out: u64,
    /// The number of texts that were too long and are shortened.
    pub shortened: u64,
}

/// The sessions under one policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyEntry {
    /// The policy type as the report has it, in lower case: `sts`, `tlsa`, `no-policy-found`.
    pub kind: String,
    /// The policy domain.
    pub domain: Option<String>,
    /// The lines of the MTA-STS policy, or the TLSA records.
    pub lines: Vec<String>,
    /// The patterns of MX hosts.
    pub mx_hosts: Vec<String>,
    /// Sessions that met the policy.
    pub succeeded: u64,
    /// Sessions that did not.
    pub failed: u64,
    /// Why they did not, the most frequent first.
    pub failures: Vec<FailureEntry>,
}

/// Failures of one kind at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureEntry {
    /// The result type as the report has it, in lower case. Empty if it has none.
    pub result_type: String,
    /// The number of sessions.
    pub sessions: u64,
    /// The place and the reason.
    pub details: FailureDetails,
}

impl Report {
    /// The day in UTC that the report is about: that of the middle of its range, so that a range in another time zone
    /// counts for the day of which it has the most.
    #[must_use]
    pub fn day(&self) -> Option<Date> {
        let second = match (self.begin, self.end) {
            (Some(begin), Some(end)) => begin.as_second() + (end.as_second() - begin.as_second()) / 2,
            (Some(begin), None) => begin.as_second(),
            (None, Some(end)) => end.as_second() - 1,
            (None, None) => return None,
        };
        Timestamp::from_second(second).ok().map(|middle| middle.to_zoned(TimeZone::UTC).date())
    }

    /// The sessions under all policies that met their policy. One session can be under several policies.
    #[must_use]
    pub fn succeeded(&self) -> u64 {
        self.policies.iter().fold(0, |sum, policy| sum.saturating_add(policy.succeeded))
    }

    /// The sessions under all policies that did not meet their policy.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.policies.iter().fold(0, |sum, policy| sum.saturating_add(policy.failed))
    }

    /// The policy domains, each once, in lower case and without a dot at the end.
    #[must_use]
    pub fn domains(&self) -> Vec<String> {
        let mut domains: Vec<String> = self.policies.iter().filter_map(PolicyEntry::domain_name).collect();
        domains.sort();
        domains.dedup();
        domains
    }
}

impl PolicyEntry {
    /// The policy type, if it is one of the RFC.
    #[must_use]
    pub fn known_kind(&self) -> Option<PolicyType> {
        PolicyType::from_rfc_name(&self.kind)
    }

    /// The policy domain in its normal form.
    #[must_use]
    pub fn domain_name(&self) -> Option<String> {
        self.domain.as_deref().map(normalized_domain)
    }
}

impl FailureEntry {
    /// The result type, if it is one of the RFC.
    #[must_use]
    pub fn known_type(&self) -> Option<FailureType> {
        FailureType::from_rfc_name(&self.result_type)
    }
}
