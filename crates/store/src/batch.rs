//! The data that the collector adds to the store in one transaction.

use jiff::{Timestamp, civil::Date};
use tlsrpt_format::datagram::Event;

/// Identifies a batch, so that the store recognizes a batch that it has already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchId {
    /// The process that adds batches. Unique for each start of a collector.
    pub writer: String,
    /// The number of the batch, which increases from 1 for each writer.
    pub number: u64,
}

/// Datagrams that arrived on one UTC day.
#[derive(Debug)]
pub struct Batch {
    /// Its identifier.
    pub id: BatchId,
    /// The day on which all of its datagrams arrived.
    pub day: Date,
    /// When its last event arrived. None if it has no events.
    pub last_event: Option<Timestamp>,
    /// The valid datagrams.
    pub events: Vec<CountedEvent>,
    /// The invalid datagrams: a short name of the reason, and their number.
    pub invalid: Vec<(&'static str, u64)>,
    /// Datagrams that arrived and were dropped, because the queue of the collector was full.
    pub dropped: u64,
}

/// An event that arrived several times.
#[derive(Debug)]
pub struct CountedEvent {
    /// The event.
    pub event: Event,
    /// How many times it arrived.
    pub times: u64,
}

/// The result of adding a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Added {
    /// The store had the batch already. Then the numbers are 0.
    pub before: bool,
    /// The store had its largest size, so it took no new domains, policies and failures.
    pub is_full: bool,
    /// Events counted in the row for domains over the limit.
    pub beyond_domains: u64,
    /// Sessions counted in the row for policies over the limit.
    pub beyond_policies: u64,
    /// Failures counted in the row for failures over the limit.
    pub beyond_failures: u64,
}
