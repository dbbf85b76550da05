//! The store in an SQLite file in WAL mode: one process writes, any number of processes read, and none waits for
//! another.

mod adding;
mod aside;
mod columns;
mod database;
mod destinations;
mod failure;
mod mx_hosts;
mod reading;
mod reporter_lock;
mod reporting;
mod schema;
mod texts;
mod unreported;
mod upkeep;

pub(crate) use aside::set_aside;
pub(crate) use database::Sqlite;
