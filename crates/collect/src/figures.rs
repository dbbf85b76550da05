//! The counts of the keeping thread, shared with the other threads.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Counts since the start.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    /// Events in the store.
    pub(crate) events: AtomicU64,
    /// Invalid datagrams in the store.
    pub(crate) invalid: AtomicU64,
    /// Whether the store fails at present.
    pub(crate) in_trouble: AtomicBool,
}

/// Adds to a count.
pub(crate) fn add(count: &AtomicU64, more: u64) {
    count.fetch_add(more, Ordering::Relaxed);
}

/// Reads a count.
pub(crate) fn read(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}
