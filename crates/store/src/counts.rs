//! What a store answers.

use jiff::{Timestamp, civil::Date};
use tlsrpt_format::datagram::{Failure, PolicyDescription};

/// The name under which events are counted whose domain is over the limit of the day. No domain has such a name.
pub const OTHER_DOMAINS: &str = "(domains over the limit)";

/// A UTC day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayCounts {
    /// The day.
    pub day: Date,
    /// Valid datagrams. Each is one event.
    pub events: u64,
    /// Events with a policy that the session did not meet.
    pub failed: u64,
    /// Different domains.
    pub domains: u64,
    /// Combinations of domain, TLSRPT record and policy.
    pub policies: u64,
    /// Combinations of such a policy with a failure and its details.
    pub failures: u64,
    /// Invalid datagrams.
    pub invalid: u64,
    /// Datagrams that a full queue had to drop.
    pub dropped: u64,
    /// When the latest event of the day arrived.
    pub last_event: Option<Timestamp>,
}

/// Invalid datagrams of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidCounts {
    /// The short name of the reason.
    pub reason: String,
    /// How many datagrams.
    pub datagrams: u64,
}

/// A domain on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainCounts {
    /// In lower case, without a dot at the end; or [`OTHER_DOMAINS`].
    pub domain: String,
    /// Events.
    pub events: u64,
    /// Events with a policy that the session did not meet.
    pub failed: u64,
}

/// A policy of a domain on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyCounts {
    /// The TLSRPT record of the domain. Empty where `policy` is none.
    pub record: String,
    /// None: all policies over the limit of the day.
    pub policy: Option<PolicyDescription>,
    /// Sessions that met the policy.
    pub succeeded: u64,
    /// Sessions that did not.
    pub failed: u64,
    /// What went wrong, the most frequent first.
    pub failures: Vec<FailureCounts>,
}

/// A failure under a policy on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureCounts {
    /// None: all failures over the limit of the day.
    pub failure: Option<Failure>,
    /// How many times.
    pub times: u64,
}
