//! The parts of a collector to look through. A thread reads the socket and does nothing else, so that the queue of the
//! system stays empty; others show what came and pass it on, each from a queue of its own.

mod ending;
mod forward;
mod queue;
mod reader;
mod show;

use std::{sync::Arc, time::SystemTime};

pub(crate) use ending::Ending;
pub(crate) use forward::{Forwarder, Passed};
pub(crate) use queue::Queue;
pub(crate) use reader::Reader;
pub(crate) use show::{Form, Show, show_all};

/// A datagram as it came.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) bytes: Box<[u8]>,
    /// By the clock on the wall, which may jump: to be shown, never to be waited by.
    pub(crate) at: SystemTime,
}

/// Datagrams that wait for one reader.
pub(crate) type Waiting = Queue<Arc<Received>>;

impl queue::TakesMemory for Arc<Received> {
    fn memory(&self) -> usize {
        /// What a datagram takes up besides its bytes, so that many small ones count too.
        const OVERHEAD: usize = 64;
        self.bytes.len() + OVERHEAD
    }
}
