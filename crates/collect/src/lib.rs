//! The collector: receives datagrams on a local socket, counts them and keeps the counters in a store.
//!
//! ```text
//! socket --> receiving thread --> Queue of packs --> keeping thread --> store
//! ```
//!
//! The receiving thread takes datagrams off the socket, stamps them and puts equal ones together in a pack. The keeping
//! thread parses a pack and adds it to the store in one transaction, before it takes the next. A bounded number of
//! datagrams is read ahead of the store; the rest waits in the queue of the socket. Only while the store takes nothing,
//! all is read: packs wait in the memory that the configuration allows; what finds no room is dropped, counted and said.
//!
//! [`run`] is all of it, until a signal ends it.

#![deny(unsafe_code)]

mod arrival;
mod figures;
mod invalid;
mod keeper;
mod kept;
mod pack;
mod queue;
mod service;
mod settings;

pub use queue::MOST_IN_HAND;
pub use service::{Failure, run, run_until};
pub use settings::Settings;
