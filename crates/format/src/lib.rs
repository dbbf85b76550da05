//! The formats of TLSRPT: the datagram, a recording of datagrams, the TLSRPT record and the report.
//!
//! This crate parses and writes. It uses no sockets, no files and no clock.
//!
//! - [`datagram`]: the event that a mail server sends for each delivery.
//! - [`recording`]: datagrams in a file.
//! - [`record`]: the DNS record with the destinations of reports (RFC 8460 section 3).
//! - [`report`]: the report (RFC 8460 section 4).
//! - [`printable`], [`printable_bytes`]: escape untrusted text for display.

#![forbid(unsafe_code)]

pub mod datagram;
mod escape;
mod pretty;
pub mod record;
pub mod recording;
pub mod report;

pub use escape::{printable, printable_bytes, printable_json, printable_start};
pub use pretty::write_pretty_json;
