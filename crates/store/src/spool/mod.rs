//! The spool: the batches of a host that the store of many hosts does not have yet, in an SQLite file of the host.
//!
//! The collector adds a batch to the spool as it adds it to a store of the host, so it does not depend on the network. A
//! thread of the collector passes the batches on in order:
//!
//! 1. [`Spool::oldest`] takes the oldest batches of one writer and one day. It writes down which they are before it
//!    returns, so the next attempt after an unknown outcome has the same ones, and the store recognizes it by its number.
//! 2. [`Waiting::merge`] makes one batch of them, with the number of the last one.
//! 3. After the commit of the store, [`Spool::remove`] removes them.
//!
//! While the store cannot be reached, [`Spool::next_to_merge`] and [`Spool::replace`] merge batches within the spool:
//! counts take less space than events.

mod content;
mod database;
mod format;
mod merging;
mod passing;
mod state;

pub use database::{Spool, SpoolOptions, set_spool_aside};
pub use merging::Merged;
pub use passing::{Unreadable, Waiting};
pub use state::{SpoolState, look_at_spool};
