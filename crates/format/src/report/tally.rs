//! The subject and the counters of a report.

use indexmap::IndexMap;
use jiff::civil::Date;

use crate::datagram::Failure;

/// The subject of one report.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Subject {
    pub(super) day: Date,
    /// The policy domain, in lower case and without the dot at the end.
    pub domain: String,
    /// The TLSRPT record of the domain.
    pub record: String,
}

/// The counts of one policy.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) successful: u64,
    pub(super) failed: u64,
    pub(super) failures: IndexMap<Failure, u64>,
}
