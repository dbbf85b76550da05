//! Reports of TLSRPT (RFC 8460): made from counters, delivered by mail and HTTPS.
//!
//! - [`Destination`]: where a report goes, parsed from an untrusted record.
//! - [`content()`]: the report of a domain and a day.
//! - [`mail`], [`DkimSigner`]: the report as a signed mail. [`DkimKey`]: the key, and its record in DNS.
//! - [`smtp`], [`https`]: one attempt to deliver it, with its [`Outcome`].
//! - [`AddressGuard`]: which addresses a report may be posted to.
//! - [`plan()`], [`schedule`]: which reports are made, where each goes, and when it is tried.
//! - [`taken_over()`]: a report that another program made.
//! - [`Reporter`]: the loop over states that are in the store; [`service`] runs it.
//! - [`bounce`]: bounces of report mails.

#![forbid(unsafe_code)]

mod address_guard;
pub mod bounce;
mod content;
mod destination;
mod dkim;
mod dkim_key;
mod housekeeping;
pub mod https;
pub mod mail;
mod mx_hosts;
mod mx_lookups;
mod mx_share;
mod outcome;
mod plan;
mod reporter;
pub mod schedule;
pub mod service;
pub mod smtp;
mod summary;
mod taken_over;
mod transport;

pub use address_guard::AddressGuard;
pub use content::{Content, ContentSettings, Privacy, Subject, content};
pub use destination::{Destination, HttpsUrl, MailAddress, Refused};
pub use dkim::DkimSigner;
pub use dkim_key::{DkimKey, KeyError, RecordProblem, permits_reports};
pub use housekeeping::Housekeeping;
pub use mx_lookups::LookUp;
pub use outcome::Outcome;
pub use plan::{NoReport, PlanSettings, plan};
pub use reporter::{Happened, Made, Observer, Reporter, ReporterSettings, Round};
pub use taken_over::{ForeignDelivery, ForeignReport, NotTaken, taken_over};
pub use transport::{Carrier, MailRoute};
