//! The formats of TLSRPT: the datagram, a recording of datagrams, the TLSRPT record and the report.
//!
//! This crate parses and writes. It uses no sockets, no files and no clock.
//!
//! - [`datagram`]: the event that a mail server sends for each delivery.
//! - [`recording`]: datagrams in a file.
//! - [`record`]: the DNS record with the destinations of reports (RFC 8460 section 3).
//! - [`repair()`]: the usual mistakes in such a record.
//! - [`report`]: the report (RFC 8460 section 4).
//! - [`printable`], [`printable_bytes`]: escape untrusted text for display.
//! - [`TEST_DOMAIN`]: the domain of the events that try the way to the store.
//! - [`without_error_numbers`]: system errors as people read them.

#![forbid(unsafe_code)]

pub mod datagram;
mod error_text;
mod escape;
mod pretty;
pub mod record;
pub mod recording;
mod repair;
pub mod report;
mod test_event;

pub use error_text::without_error_numbers;
pub use escape::{printable, printable_bytes, printable_json, printable_start};
pub use pretty::write_pretty_json;
pub use repair::{Repair, repair};
pub use test_event::{TEST_DOMAIN, TEST_RECORD};
