//! Datagrams that were received.

use std::{sync::Arc, time::SystemTime};

use crate::waiting::{Queue, TakesMemory};

/// A datagram in the buffer of the reader. The next datagram overwrites it.
#[derive(Debug, Clone, Copy)]
pub struct Arrived<'r> {
    /// See [`Received::bytes`].
    pub bytes: &'r [u8],
    /// See [`Received::at`].
    pub at: SystemTime,
    /// See [`Received::sender`].
    pub sender: Option<&'r [u8]>,
}

/// Copies the datagram.
impl From<Arrived<'_>> for Received {
    fn from(Arrived { bytes, at, sender }: Arrived<'_>) -> Self {
        Self { bytes: bytes.into(), at, sender: sender.map(Into::into) }
    }
}

/// A received datagram. A clone shares the bytes.
#[derive(Debug, Clone)]
pub struct Received {
    /// The bytes of the datagram.
    pub bytes: Arc<[u8]>,
    /// The time of arrival on the system clock. That clock may jump: show the time, but do not compute waits from it.
    pub at: SystemTime,
    /// The abstract name of the socket that sent it, without the NUL at its beginning. Mail servers send from sockets
    /// without a name. The name is not trusted: any process of this host can choose one.
    pub sender: Option<Arc<[u8]>>,
}

/// Datagrams that wait for one thread.
pub type Waiting = Queue<Received>;

impl TakesMemory for Received {
    fn memory(&self) -> usize {
        /// The two reference counts of the shared bytes, and the overhead of the allocator.
        const OF_BYTES: usize = 32;
        /// A queue that grows allocates twice as many entries.
        const IN_QUEUE: usize = 2 * size_of::<Received>();
        let name = self.sender.as_ref().map_or(0, |name| name.len() + OF_BYTES);
        self.bytes.len() + OF_BYTES + IN_QUEUE + name
    }
}
