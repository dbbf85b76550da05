//! A file of SQLite in WAL mode that this program owns: it is created, opened, migrated, checked and set aside in the
//! same way, whatever it holds.

mod aside;
mod columns;
mod failure;
mod format;
mod identity;
mod opening;
mod schema;

pub(crate) use columns::{count, date, limit_of, number, timestamp, unreadable};
pub(crate) use format::Format;
pub(crate) use identity::Identity;
pub(crate) use opening::{open, open_read_only};
