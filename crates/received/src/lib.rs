//! Reports of TLSRPT (RFC 8460) that others sent about one's own domain.
//!
//! - [`input`]: the files, directories and mailboxes of a command line.
//! - [`find`]: the reports in a file as it came: JSON, gzip, zip, a mail, a mailbox. By content, not by name.
//! - [`read`]: one report. It takes what real senders write, and lists how that departs from the RFC.
//! - [`Report`]: the model of one report.
//! - [`advice`]: what to do about each result type.
//! - [`text`]: a report in words.
//! - [`dkim`]: whether the domain that sends a report has signed its mail.
//! - [`keeping`] and [`history`]: the reports in the store, by day, and when failures begin.
//!
//! Strangers write all of it: the size, the number and the depth of everything have limits ([`limits`]).

#![forbid(unsafe_code)]

pub mod advice;
mod departure;
pub mod dkim;
mod finding;
mod header;
pub mod history;
pub mod input;
pub mod keeping;
pub mod limits;
mod mail;
mod reading;
mod report;
mod serialize;
pub mod text;

pub use departure::{Departure, Rule};
pub use finding::{Found, Item, Problem, find};
pub use mail::MailFacts;
pub use reading::{Unreadable, read};
pub use report::{FailureEntry, PolicyEntry, Report};
