//! The formats of TLSRPT: the datagram, a recording of datagrams, the TLSRPT record and the report.
//!
//! Text and bytes in, types out, and back. No sockets, no files, no clock.
//!
//! - [`datagram`]: the event that a mail server sends for each delivery.
//! - [`recording`]: datagrams in a file.
//! - [`record`]: the DNS record that names where reports go (RFC 8460 section 3).
//! - [`report`]: the report (RFC 8460 section 4).
//! - [`printable`], [`printable_bytes`]: text of strangers, safe to show.

#![forbid(unsafe_code)]

pub mod datagram;
mod escape;
mod pretty;
pub mod record;
pub mod recording;
pub mod report;

pub use escape::{printable, printable_bytes, printable_json, printable_start};
pub use pretty::write_pretty_json;
