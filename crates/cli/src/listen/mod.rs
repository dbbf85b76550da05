//! The parts of a collector to look through. A thread reads the socket and does nothing else, so that the queue of the
//! system stays empty; others show what came and pass it on, each from a queue of its own.

mod ending;
mod forward;
mod show;

pub(crate) use ending::Ending;
pub(crate) use forward::{Forwarder, Passed};
pub(crate) use show::{Form, Show, show_all};
