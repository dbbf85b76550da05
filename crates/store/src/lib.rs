//! The store of the collector: counters for each UTC day, domain, TLSRPT record and policy.
//!
//! A store keeps counts, not events. Two sessions of one day under one policy are one row with the count 2. Policies that
//! differ only in the order of their members, and domains that differ only in case or in a dot at the end, are one.
//!
//! - [`open`] makes a store for the collector, [`open_reader`] one for everybody else. Both choose the engine by the
//!   [`Url`].
//! - [`Batch`] is what the collector adds in one transaction.
//! - [`Store`] and [`Reader`] are what an engine implements.
//!
//! What goes in and out has no types of an engine.

#![forbid(unsafe_code)]

mod batch;
mod counts;
mod delivery_state;
mod error;
mod opening;
mod options;
mod reports;
mod sqlite;
mod store;
mod url;

pub use batch::{Added, Batch, BatchId, CountedEvent};
pub use counts::{DayCounts, DomainCounts, FailureCounts, InvalidCounts, OTHER_DOMAINS, PolicyCounts};
pub use delivery_state::DeliveryState;
pub use error::{Error, ErrorKind};
pub use jiff::{Timestamp, civil::Date};
pub use opening::{open, open_reader, open_reports, set_aside};
pub use options::{Limits, Options, Synchronous};
pub use reports::{
    Attempt, Delivery, KeptReport, MxHostShare, NewDelivery, NewReport, ReportFilter, ReportStore, Route, Suppression,
    Unreported,
};
pub use store::{Purged, Reader, Store};
pub use url::Url;
