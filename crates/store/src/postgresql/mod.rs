//! The store in a database of a PostgreSQL server: any number of hosts add to it, and any number of reporters work on it.
//!
//! A server that does not answer never holds a thread for ever: each statement has a limit on both sides.

mod adding;
mod alerts;
mod columns;
mod database;
mod failure;
mod leases;
mod link;
mod making;
mod mx_hosts;
mod passwords;
mod privileges;
mod reading;
mod received;
mod reporting;
mod schema;
mod server_text;
mod sharing;
mod tls;
mod unreported;
mod upkeep;
mod url;

pub(crate) use database::Postgresql;
pub use url::PostgresqlUrl;
