//! tlsrpt-reporter 0.6.0 beside this project.
//!
//! - [`migrate()`]: counts and open deliveries from the databases of tlsrpt-collectd and tlsrpt-reportd into our store.
//! - [`fetcher`]: the line protocol of tlsrpt-fetcher out of our store, for a tlsrpt-reportd that stays.
//!
//! What is known of the databases and of the protocol was seen from outside, with version 0.6.0. `make test-peer` runs that version.

#![forbid(unsafe_code)]

mod collectd;
mod database;
mod error;
pub mod fetcher;
mod in_use;
mod migration;
mod python_json;
mod reportd;
mod sessions;

pub use error::Error;
pub use migration::{Settings, Taken, Told, migrate};
