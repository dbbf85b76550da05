//! The counts of the keeping thread, shared with the other threads.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Counts since the start.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    /// Events in the store or in the spool.
    pub(crate) events: AtomicU64,
    /// Invalid datagrams in the same place.
    pub(crate) invalid: AtomicU64,
    /// Whether the store of this host or the spool fails at present.
    pub(crate) in_trouble: AtomicBool,
    /// Whether the store that many hosts share does not take batches at present.
    pub(crate) store_is_away: AtomicBool,
}

/// Adds to a count.
pub(crate) fn add(count: &AtomicU64, more: u64) {
    count.fetch_add(more, Ordering::Relaxed);
}

/// Reads a count.
pub(crate) fn read(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}
