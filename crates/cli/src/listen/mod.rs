//! A collector that shows the datagrams that arrive.
//!
//! - [`pipeline`]: the threads, and their end.
//! - [`show`], [`forward`]: the work of two of them.
//! - [`route`]: finds forwarders that forward to each other.
//! - [`shares`], [`counts`]: the memory for waiting datagrams, and the counts.

pub(crate) mod pipeline;
pub(crate) mod shares;
pub(crate) mod show;

mod counts;
mod forward;
mod route;
