//! What is examined.

use std::path::PathBuf;

use tlsrpt_store::{Limits, Url};

/// The socket and the store to examine.
#[derive(Debug, Clone)]
pub struct Place {
    /// The socket of the collector.
    pub socket: PathBuf,
    /// The store.
    pub store: Url,
    /// The limits of the store.
    pub limits: Limits,
    /// The spool of the collector, if many hosts share the store.
    pub spool: PathBuf,
}
