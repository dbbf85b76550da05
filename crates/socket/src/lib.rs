//! Local datagram sockets by name.
//!
//! - [`Listening`]: takes over a socket path, and removes it at the end.
//! - [`probe`], [`explain`]: what is at a path, and what an error there means.
//! - [`Reader`]: takes datagrams off a socket as fast as they arrive.
//! - [`Queue`]: a queue between two threads with a bound on its memory.

#![deny(unsafe_code)]

mod bind;
mod explain;
mod owner;
mod probe;
mod queue_length;
mod reader;
mod waiting;

use std::{sync::Arc, time::SystemTime};

pub use bind::{BindError, Listening};
pub use explain::explain;
pub use owner::Owner;
pub use probe::{Found, probe};
pub use queue_length::{USUAL_LENGTH, length_of_new};
pub use reader::{Reader, Stop};
pub use waiting::{Queue, TakesMemory};

/// The longest name of a local socket in bytes: `sun_path` of Linux without the NUL at its end.
pub const LONGEST_NAME: usize = 107;

/// A datagram as it arrived.
#[derive(Debug)]
pub struct Received {
    /// Its bytes.
    pub bytes: Box<[u8]>,
    /// When it arrived, by the system clock, which may jump: to be shown, never to be waited by.
    pub at: SystemTime,
}

/// Datagrams that wait for one reader.
pub type Waiting = Queue<Arc<Received>>;

impl TakesMemory for Arc<Received> {
    fn memory(&self) -> usize {
        /// What a datagram takes up besides its bytes, so that many small ones count too.
        const OVERHEAD: usize = 64;
        self.bytes.len() + OVERHEAD
    }
}
