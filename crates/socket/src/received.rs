//! A datagram on its way through the process.

use std::{sync::Arc, time::SystemTime};

use crate::waiting::{Queue, TakesMemory};

/// A datagram at its arrival, in the memory of the reader: what is not copied from it is gone with the next one.
#[derive(Debug, Clone, Copy)]
pub struct Arrived<'r> {
    /// See [`Received::bytes`].
    pub bytes: &'r [u8],
    /// See [`Received::at`].
    pub at: SystemTime,
    /// See [`Received::sender`].
    pub sender: Option<&'r [u8]>,
}

/// A copy.
impl From<Arrived<'_>> for Received {
    fn from(Arrived { bytes, at, sender }: Arrived<'_>) -> Self {
        Self { bytes: bytes.into(), at, sender: sender.map(Into::into) }
    }
}

/// A datagram as it arrived. A clone shares the bytes.
#[derive(Debug, Clone)]
pub struct Received {
    /// Its bytes.
    pub bytes: Arc<[u8]>,
    /// When it arrived, by the system clock, which may jump: to be shown, never to be waited by.
    pub at: SystemTime,
    /// The abstract name of the socket that sent it, without the NUL at its beginning. Mail servers send from sockets
    /// without a name. Any process of this host can choose one.
    pub sender: Option<Arc<[u8]>>,
}

/// Datagrams that wait for one thread.
pub type Waiting = Queue<Received>;

impl TakesMemory for Received {
    fn memory(&self) -> usize {
        /// Two counts of the shared bytes, and the overhead of the allocator.
        const OF_BYTES: usize = 32;
        /// A queue that grows has places for twice as many items.
        const IN_QUEUE: usize = 2 * size_of::<Received>();
        let name = self.sender.as_ref().map_or(0, |name| name.len() + OF_BYTES);
        self.bytes.len() + OF_BYTES + IN_QUEUE + name
    }
}
