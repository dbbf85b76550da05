//! `tlsrpt deliver`, `hosts` and `status` with a store in a database of PostgreSQL. Run by `make test-postgresql`.

#[path = "../delivering/clock.rs"]
mod clock;
#[allow(dead_code, reason = "the tests of delivering use the rest")]
#[path = "../delivering/host.rs"]
mod host;
mod hosts;
mod passwords;
mod refused;
mod reporters;
#[path = "../../../store/tests/postgresql/server.rs"]
mod server;
mod site;
#[path = "../../../deliver/tests/sinks/smtp.rs"]
mod smtp_sink;
