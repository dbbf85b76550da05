//! The datagrams of one batch.

use std::collections::HashMap;

use foldhash::quality::RandomState;

/// The memory for a datagram besides its bytes: its entry in the table and the overhead of the allocator.
const OVERHEAD: usize = 96;

/// The most different datagrams in a pack. A larger transaction is not cheaper for each datagram.
const MOST_DIFFERENT: usize = 4096;

/// The most memory of a pack. Parsed datagrams take several times as much.
const MOST_MEMORY: usize = 2 << 20;

/// Datagrams that arrived on one UTC day. Equal ones are kept once.
#[derive(Debug, Default)]
pub(crate) struct Pack {
    /// The number of the day since 1970.
    pub(crate) day: i64,
    /// When the last one arrived, in seconds since 1970.
    pub(crate) last: i64,
    /// Each datagram and how often it arrived. The hash of the standard library takes longer than the system call that
    /// receives the datagram. Deliberate collisions of this one cost little: a pack has at most [`MOST_DIFFERENT`]
    /// entries.
    pub(crate) datagrams: HashMap<Box<[u8]>, u64, RandomState>,
    /// How many datagrams were dropped, because they did not fit the memory.
    pub(crate) dropped: u64,
    /// The memory of the pack, in bytes.
    pub(crate) memory: usize,
}

impl Pack {
    pub(crate) fn of_day(day: i64) -> Self {
        Self { day, ..Self::default() }
    }

    /// Whether a new datagram must begin another pack.
    pub(crate) fn is_full(&self) -> bool {
        self.datagrams.len() >= MOST_DIFFERENT || self.memory >= MOST_MEMORY
    }

    /// Counts a datagram if the pack has an equal one. Returns whether it has.
    pub(crate) fn count(&mut self, bytes: &[u8], at: i64) -> bool {
        let Some(times) = self.datagrams.get_mut(bytes) else { return false };
        *times += 1;
        self.last = at;
        true
    }

    /// Adds a datagram of which the pack has no equal one. Returns the memory that it takes.
    pub(crate) fn insert(&mut self, bytes: &[u8], at: i64) -> usize {
        self.datagrams.insert(bytes.into(), 1);
        self.last = at;
        let memory = Self::memory_for(bytes);
        self.memory += memory;
        memory
    }

    /// The memory that a new datagram takes.
    pub(crate) fn memory_for(bytes: &[u8]) -> usize {
        bytes.len() + OVERHEAD
    }

    /// How many datagrams arrived.
    pub(crate) fn len(&self) -> u64 {
        self.datagrams.values().sum()
    }
}
