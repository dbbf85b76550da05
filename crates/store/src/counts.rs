//! The results of reading a store.

use jiff::{Timestamp, civil::Date};
use tlsrpt_format::datagram::{Failure, PolicyDescription};

/// The name for all domains over the limit of the day. It is not a valid domain.
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
    /// Datagrams that were dropped because the queue was full.
    pub dropped: u64,
    /// When the latest event of the day arrived.
    pub last_event: Option<Timestamp>,
}

/// Invalid datagrams of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidCounts {
    /// The short name of the reason.
    pub reason: String,
    /// The number of datagrams.
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
    /// The TLSRPT record of the domain. Empty if `policy` is `None`.
    pub record: String,
    /// The policy. `None` stands for all policies over the limit of the day.
    pub policy: Option<PolicyDescription>,
    /// Sessions that met the policy.
    pub succeeded: u64,
    /// Sessions that did not.
    pub failed: u64,
    /// The failures, the most frequent first.
    pub failures: Vec<FailureCounts>,
}

/// A failure under a policy on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureCounts {
    /// The failure. `None` stands for all failures over the limit of the day.
    pub failure: Option<Failure>,
    /// The number of times.
    pub times: u64,
}
