//! Domains whose sessions have begun to fail, which the reporter tells the operator about.

use jiff::{SignedDuration, Timestamp, civil::Date};

use crate::{DomainCounts, Error};

/// A domain whose sessions fail, although they succeeded before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// The policy domain.
    pub domain: String,
    /// When it was noticed.
    pub begun: Timestamp,
    /// The sessions that were looked at then.
    pub events: u64,
    /// Those of them that failed.
    pub failed: u64,
    /// The most frequent reasons of the day in words, for instance `certificate-expired: 12`.
    pub reasons: String,
    /// When the operator was told. None if nobody was told yet.
    pub told: Option<Timestamp>,
    /// Why the last attempt to tell the operator failed. Empty if none did.
    pub problem: String,
}

/// A domain with failed sessions on a day, or with an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedDomain {
    /// Its counts of the day so far.
    pub now: DomainCounts,
    /// Its events and failed events of the day that were judged before.
    pub judged: (u64, u64),
    /// It has an alert.
    pub is_alert: bool,
}

/// The operations on alerts. Several reporters may use them at once: each alert is begun and told once.
pub trait AlertStore {
    /// Up to `limit` domains that have failed events on the day, or an alert and events on the day. Those with most failed
    /// events first.
    fn watched(&mut self, day: Date, limit: usize) -> Result<Vec<WatchedDomain>, Error>;

    /// Keeps the counts of the day that were judged. Forgets those of other days.
    fn keep_judged(&mut self, day: Date, judged: &[DomainCounts]) -> Result<(), Error>;

    /// Whether the domain had a session that succeeded on one of the days from `first` to the day before `end`.
    fn has_succeeded(&mut self, domain: &str, first: Date, end: Date) -> Result<bool, Error>;

    /// Begins an alert. Returns false if the domain has one.
    fn begin_alert(&mut self, alert: &Alert) -> Result<bool, Error>;

    /// Ends the alert of a domain. Returns whether there was one.
    fn end_alert(&mut self, domain: &str) -> Result<bool, Error>;

    /// Takes an alert that nobody was told about, to tell it. No reporter takes it again within `retry`, so that an
    /// attempt that fails or is interrupted is repeated.
    fn take_untold(&mut self, now: Timestamp, retry: SignedDuration) -> Result<Option<Alert>, Error>;

    /// Keeps the outcome of telling the operator about a domain: when it succeeded, or the problem.
    fn keep_told(&mut self, domain: &str, outcome: Result<Timestamp, &str>) -> Result<(), Error>;
}
