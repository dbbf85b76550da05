//! The store of the collector: counters for each UTC day, domain, TLSRPT record and policy.
//!
//! A store keeps counts, not events. Two sessions of one day under one policy are one row with the count 2. Policies
//! that differ only in the order of their members are equal, and so are domains that differ only in case or in a dot at
//! the end.
//!
//! - [`open`] opens the store for the collector, [`open_shared`] one that many hosts share, [`open_reports`] the store for
//!   the reporter, [`open_reader`] for all others. They choose the engine by the [`Url`].
//! - [`Batch`]: the data that the collector adds in one transaction.
//! - [`Store`], [`SharedStore`], [`ReportStore`], [`ReceivedStore`], [`AlertStore`] and [`Reader`]: the traits that an engine implements.
//!
//! The interface has no types of an engine.

#![forbid(unsafe_code)]

mod alerts;
mod batch;
mod counts;
mod day;
mod delivery_state;
mod error;
mod file;
mod hash;
mod host;
mod opening;
mod options;
mod policy_text;
mod postgresql;
mod reasons;
mod received;
mod received_row;
mod reports;
mod share_text;
mod shared;
mod spool;
mod sqlite;
mod store;
mod url;

pub use alerts::{Alert, AlertStore, WatchedDomain};
pub use batch::{Added, Batch, BatchId, CountedEvent};
pub use counts::{DayCounts, DomainCounts, FailureCounts, InvalidCounts, OTHER_DOMAINS, PolicyCounts};
pub use delivery_state::DeliveryState;
pub use error::{Error, ErrorKind};
pub use host::{Host, HostState};
pub use jiff::{Timestamp, civil::Date};
pub use opening::{open, open_reader, open_received, open_received_reader, open_reports, open_shared, set_aside};
pub use options::{Limits, Options, Synchronous};
pub use postgresql::PostgresqlUrl;
pub use reasons::{Reason, reasons, result_type};
pub use received::{
    Kept, NewReceived, ReceivedCounts, ReceivedFailure, ReceivedFilter, ReceivedLimits, ReceivedReader, ReceivedReport,
    ReceivedStore, ReceivedSum,
};
pub use reports::{
    Attempt, Delivery, FailureLimit, KeptReport, Leases, MxHostShare, NewDelivery, NewReport, RENEWAL, ReportFilter,
    ReportStore, Route, Suppression, Unreported,
};
pub use shared::SharedStore;
pub use spool::{Merged, Spool, SpoolOptions, SpoolState, Unreadable, Waiting, look_at_spool, set_spool_aside};
pub use store::{KeptDays, Purged, Reader, Store};
pub use url::Url;
