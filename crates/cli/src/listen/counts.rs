//! Counts of datagrams. All threads count here, so the numbers can be shown even if a thread hangs or panics.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters that several threads share.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Read from the socket.
    pub(crate) received: Counter,
    /// Taken by the collector.
    pub(crate) forwarded: Counter,
    /// Refused by the collector for their length.
    pub(crate) too_long: Counter,
    /// Not forwarded, because this forwarder has forwarded them before.
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
