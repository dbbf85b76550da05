//! Datagrams that become one batch.

use std::collections::HashMap;

use foldhash::quality::RandomState;

/// What a datagram takes up besides its bytes: its place in the table and what the allocator needs.
const OVERHEAD: usize = 96;

/// Enough different datagrams for one transaction: more make neither it nor the next one cheaper.
const MOST_DIFFERENT: usize = 4096;

/// Enough bytes for one transaction: parsed, they take several times as much memory.
const MOST_MEMORY: usize = 2 << 20;

/// Datagrams that arrived on one UTC day. Equal ones are kept once.
#[derive(Debug, Default)]
pub(crate) struct Pack {
    /// The number of the day since 1970.
    pub(crate) day: i64,
    /// When the last one arrived, in seconds since 1970.
    pub(crate) last: i64,
    /// Each datagram and how often it arrived. The standard hash takes longer than the system call that receives. A
    /// stranger who makes this one collide has few places to collide in: [`MOST_DIFFERENT`].
    pub(crate) datagrams: HashMap<Box<[u8]>, u64, RandomState>,
    /// How many datagrams there was no room for.
    pub(crate) dropped: u64,
    /// What it takes up, in bytes.
    pub(crate) memory: usize,
}

impl Pack {
    pub(crate) fn of_day(day: i64) -> Self {
        Self { day, ..Self::default() }
    }

    /// Whether it is time to begin another.
    pub(crate) fn is_full(&self) -> bool {
        self.datagrams.len() >= MOST_DIFFERENT || self.memory >= MOST_MEMORY
    }

    /// Counts a datagram that is here already. Whether it is.
    pub(crate) fn count(&mut self, bytes: &[u8], at: i64) -> bool {
        let Some(times) = self.datagrams.get_mut(bytes) else { return false };
        *times += 1;
        self.last = at;
        true
    }

    /// Adds a datagram that is not here yet. The memory that it takes.
    pub(crate) fn insert(&mut self, bytes: &[u8], at: i64) -> usize {
        self.datagrams.insert(bytes.into(), 1);
        self.last = at;
        let memory = Self::memory_for(bytes);
        self.memory += memory;
        memory
    }

    /// What a new datagram takes up.
    pub(crate) fn memory_for(bytes: &[u8]) -> usize {
        bytes.len() + OVERHEAD
    }

    /// How many datagrams arrived.
    pub(crate) fn len(&self) -> u64 {
        self.datagrams.values().sum()
    }
}
