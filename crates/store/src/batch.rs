//! What the collector adds to the store in one transaction.

use jiff::{Timestamp, civil::Date};
use tlsrpt_format::datagram::Event;

/// Names a batch, so that the store can tell that it has it already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchId {
    /// Who adds batches. Unique among all who add to the store: a new name for each start of a collector.
    pub writer: String,
    /// Grows with each batch of the writer, from 1.
    pub number: u64,
}

/// Datagrams that arrived on one UTC day.
#[derive(Debug)]
pub struct Batch {
    /// Its name.
    pub id: BatchId,
    /// When all of it arrived.
    pub day: Date,
    /// When the last event of it arrived. None where it has no events.
    pub last_event: Option<Timestamp>,
    /// The valid datagrams.
    pub events: Vec<CountedEvent>,
    /// The invalid datagrams: a short name of the reason, and how many.
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

/// What became of a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Added {
    /// The store had the batch already. The other numbers are 0 then.
    pub before: bool,
    /// Events counted in the row for domains over the limit.
    pub beyond_domains: u64,
    /// Sessions counted in the row for policies over the limit.
    pub beyond_policies: u64,
    /// Failures counted in the row for failures over the limit.
    pub beyond_failures: u64,
}
