//! A store that many hosts share.

use crate::{Error, HostState, Store};

/// The operations of a collector on a store that many hosts share.
pub trait SharedStore: Store + std::fmt::Debug {
    /// The number of the last batch of a writer that is in the store. 0 if there is none.
    fn last_batch(&mut self, writer: &str) -> Result<u64, Error>;

    /// Registers this host, and keeps its state.
    fn check_in(&mut self, host: &HostState) -> Result<(), Error>;
}
