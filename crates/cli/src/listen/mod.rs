//! A collector that shows what arrives.
//!
//! - [`pipeline`]: the threads, and their end.
//! - [`show`], [`forward`]: what two of them do.
//! - [`route`]: finds forwarders that forward to each other.
//! - [`shares`], [`counts`]: the memory for waiting datagrams, and what became of them.

pub(crate) mod pipeline;
pub(crate) mod shares;
pub(crate) mod show;

mod counts;
mod forward;
mod route;
