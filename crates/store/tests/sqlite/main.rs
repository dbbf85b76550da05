//! The store in an SQLite file.

#[path = "../behaviour/mod.rs"]
mod behaviour;
mod file;
mod place;
