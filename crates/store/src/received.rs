//! Reports that others sent, which `tlsrpt receive` keeps in the store.

use jiff::{Timestamp, civil::Date};

use crate::Error;

/// A received report to keep.
#[derive(Debug, Clone)]
pub struct NewReceived {
    /// The organization that sent it.
    pub organization: String,
    /// The id that the organization gave it.
    pub report_id: String,
    /// The day that it is about.
    pub day: Date,
    /// When it arrived.
    pub arrived: Timestamp,
    /// What the DKIM signature of its mail says, in words; empty if nobody looked.
    pub signature: String,
    /// Its JSON text.
    pub json: Vec<u8>,
    /// The sessions of each policy domain.
    pub counts: Vec<ReceivedCounts>,
}

/// The sessions of a policy domain in one report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedCounts {
    /// In lower case, without a dot at the end.
    pub domain: String,
    /// Sessions that met the policy.
    pub succeeded: u64,
    /// Sessions that did not.
    pub failed: u64,
    /// Failed sessions by result type.
    pub failures: Vec<(String, u64)>,
}

/// The most that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceivedLimits {
    /// Reports.
    pub reports: u64,
    /// Bytes of their JSON texts.
    pub bytes: u64,
}

/// What became of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is kept.
    New,
    /// It is kept beside another report of this organization with the same id and another content.
    Beside,
    /// The same report is kept already.
    Again,
    /// It is not kept: the limits are reached.
    Full,
}

/// A kept report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedReport {
    /// The day that it is about.
    pub day: Date,
    /// When it arrived.
    pub arrived: Timestamp,
    /// What the DKIM signature of its mail says; empty if nobody looked.
    pub signature: String,
    /// Its JSON text, compressed by gzip.
    pub compressed: Vec<u8>,
}

/// Which counts are read.
#[derive(Debug, Clone)]
pub struct ReceivedFilter {
    /// Only this domain.
    pub domain: Option<String>,
    /// The first day.
    pub first: Date,
    /// The last day.
    pub last: Date,
}

/// The sessions that an organization reported about a domain and day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedSum {
    /// The day.
    pub day: Date,
    /// The policy domain.
    pub domain: String,
    /// The organization.
    pub organization: String,
    /// Sessions that met the policy.
    pub succeeded: u64,
    /// Sessions that did not.
    pub failed: u64,
    /// When the last of these reports arrived.
    pub arrived: Timestamp,
}

/// The failures of one result type that an organization reported about a domain and day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedFailure {
    /// The day.
    pub day: Date,
    /// The policy domain.
    pub domain: String,
    /// The organization.
    pub organization: String,
    /// The result type.
    pub result_type: String,
    /// Failed sessions.
    pub sessions: u64,
}

/// The operations that read received reports.
pub trait ReceivedReader: Send {
    /// The reports of an organization with this id: usually one.
    fn received(&mut self, organization: &str, report_id: &str) -> Result<Vec<ReceivedReport>, Error>;

    /// The organizations and ids of reports about a day, at most `limit`.
    fn received_ids(&mut self, filter: &ReceivedFilter, limit: usize) -> Result<Vec<(String, String)>, Error>;

    /// The sessions by day, domain and organization; the newest day first, at most `limit`.
    fn received_sums(&mut self, filter: &ReceivedFilter, limit: usize) -> Result<Vec<ReceivedSum>, Error>;

    /// The failures by day, domain, organization and result type; the newest day first, at most `limit`.
    fn received_failures(&mut self, filter: &ReceivedFilter, limit: usize) -> Result<Vec<ReceivedFailure>, Error>;
}

/// The operations that keep received reports.
pub trait ReceivedStore: ReceivedReader {
    /// Keeps a report, once for each organization, id and content.
    ///
    /// # Errors
    ///
    /// The report is not kept, or the outcome is unknown: then keeping it again does no harm.
    fn keep_received(&mut self, report: &NewReceived, limits: ReceivedLimits) -> Result<Kept, Error>;

    /// Removes the reports that arrived before `first`. Returns their number. If the clock jumps far ahead, this must not
    /// remove all: it removes nothing unless a report arrived since then.
    fn purge_received(&mut self, first: Timestamp) -> Result<u64, Error>;
}
