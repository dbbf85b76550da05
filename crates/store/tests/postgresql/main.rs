//! The store in a database of PostgreSQL. Run by `make test-postgresql`.

#[path = "../behaviour/mod.rs"]
mod behaviour;
mod leases;
mod lookups;
mod opening;
mod place;
mod privileges;
mod server;
