//! Receives datagrams at the socket of the collector, shows and forwards them.
//!
//! - [`pipeline`]: starts and ends the threads.
//! - [`show`], [`forward`]: the threads that show and forward datagrams.
//! - [`route`]: detects forwarders that forward to each other.
//! - [`shares`], [`counts`]: the memory for waiting datagrams, and the counts.

pub(crate) mod pipeline;
pub(crate) mod shares;
pub(crate) mod show;

mod counts;
mod forward;
mod route;
