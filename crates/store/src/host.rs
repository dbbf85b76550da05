//! The hosts that share a store.

use jiff::{SignedDuration, Timestamp, civil::Date};

/// What a host says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostState {
    /// Its name.
    pub name: String,
    /// The time of its clock. The store computes the difference from its own.
    pub now: Timestamp,
    /// Each batch of the days before this one is in the store.
    pub complete_before: Date,
    /// When its last batch was added. None if it has added none.
    pub last_batch: Option<Timestamp>,
    /// Batches that wait on the host.
    pub spool_batches: u64,
    /// Their bytes.
    pub spool_bytes: u64,
}

/// A host that shares the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// What it said about itself last.
    pub state: HostState,
    /// When it said so, by the clock of the store.
    pub checked_in: Timestamp,
    /// How long ago that is, by the clock of the store.
    pub silent_for: SignedDuration,
    /// Its clock minus the clock of the store.
    pub clock_difference: SignedDuration,
}
