//! `tlsrpt deliver` as a process, with servers that accept every report.

mod killed;
mod sinks;
