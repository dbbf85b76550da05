//! Pages for a browser. Each is one file, without scripts and without requests to anywhere.
//!
//! - [`status()`]: the status of a host.
//! - [`report()`]: a report in the store, and its deliveries.
//! - [`read_reports()`], [`history()`]: reports that others sent.
//!
//! `frame` has what all pages share: the head, the styles and the policy that forbids the browser to load or run
//! anything. `plot` draws, `words` makes numbers, times and untrusted text readable. The template engine escapes all
//! text; what strangers wrote is also made printable.

#![forbid(unsafe_code)]

mod frame;
mod plot;
mod received;
mod report;
mod results;
mod status;
mod words;

pub use received::{History, ReadReports, history, read_reports};
pub use report::{Report, report};
pub use status::status;
