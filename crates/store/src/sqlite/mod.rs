//! The store in an SQLite file in WAL mode: one process writes, any number of processes read, and none waits for
//! another.

mod adding;
mod alerts;
mod database;
mod destinations;
mod format;
mod mx_hosts;
mod reading;
mod received;
mod reporter_lock;
mod reporting;
mod texts;
mod unreported;
mod upkeep;

pub(crate) use database::Sqlite;
pub(crate) use format::FORMAT;
