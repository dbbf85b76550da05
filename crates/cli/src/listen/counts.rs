//! Counts of datagrams. The threads share them, so they can be shown even if a thread hangs or panics.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters that several threads share.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Read from the socket.
    pub(crate) received: Counter,
    /// Taken by the collector.
    pub(crate) forwarded: Counter,
    /// Not forwarded, because they are too long.
    pub(crate) too_long: Counter,
    /// Not forwarded, because this command has forwarded them before.
    pub(crate) returned: Counter,
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    /// Adds one. Returns the number before.
    pub(crate) fn add(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
