//! Collectors and reporters of many hosts with one PostgreSQL, all as real programs. Run by `make test-postgresql`.

mod cutting;
mod host;
mod scenario;
#[path = "../../../store/tests/postgresql/server.rs"]
mod server;
#[allow(dead_code)]
#[path = "../killing/sinks.rs"]
mod sinks;
mod spooling;
#[allow(dead_code)]
#[path = "../collecting/support.rs"]
mod support;
