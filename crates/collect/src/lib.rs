//! The collector: receives datagrams on a local socket, counts them and keeps the counters in a store.
//!
//! ```text
//! socket --> receiving thread --> Queue of packs --> keeping thread --> store
//! ```
//!
//! The receiving thread reads datagrams from the socket, notes the time of arrival and puts equal ones together in a
//! pack. The keeping thread parses a pack and adds it to the store in one transaction, before it takes the next. While
//! the store works, the receiving thread reads only a bounded number of datagrams ahead of it; the rest waits in the
//! queue of the socket. While the store fails, it reads all datagrams: packs wait in the memory that the configuration
//! allows, and datagrams that do not fit are dropped and counted, and a message gives their number.
//!
//! If many hosts share the store, the collector does not depend on it:
//!
//! ```text
//! ... keeping thread --> spool of this host --> passing thread --> store
//! ```
//!
//! The keeping thread adds to the spool, a file of this host. The passing thread adds what is in the spool to the store, and
//! tries again as long as that fails.
//!
//! [`run`] runs the collector until a signal ends it.

#![deny(unsafe_code)]

mod arrival;
mod beyond;
mod figures;
mod invalid;
mod keeper;
mod kept;
mod local;
mod pack;
mod passing;
mod queue;
mod service;
mod settings;
mod spool;
mod writer;

pub use queue::MOST_IN_HAND;
pub use service::{Failure, run, run_until};
pub use settings::Settings;
