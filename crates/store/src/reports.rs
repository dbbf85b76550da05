//! Reports and their deliveries, which the reporter keeps in the store.

use std::time::Duration;

use jiff::{Timestamp, civil::Date};

use crate::{AlertStore, DeliveryState, Error, PolicyCounts, Reader, Store};

/// The counts of a domain on one day that are in no report yet.
#[derive(Debug)]
pub struct Unreported {
    /// In lower case, without a dot at the end; or [`crate::OTHER_DOMAINS`].
    pub domain: String,
    /// The number of the next report about this domain and day, from 1.
    pub number: u32,
    /// The counts without those in earlier reports about the day.
    pub policies: Vec<PolicyCounts>,
    /// Report mails that servers of the domain accepted on that day.
    pub report_mails: u64,
}

/// How many failures of a domain and a day are taken one by one, so that memory has a bound. The most frequent are; the others are
/// added up into one without details for each policy and code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailureLimit {
    /// The most failures.
    pub number: usize,
    /// The most bytes of their JSON text.
    pub bytes: u64,
}

/// A report to keep, with its destinations.
#[derive(Debug)]
pub struct NewReport {
    /// The report id.
    pub report_id: String,
    /// When it was made.
    pub made: Timestamp,
    /// The file name of RFC 8460 section 5.1.
    pub file_name: String,
    /// The JSON text, compressed by gzip.
    pub compressed: Vec<u8>,
    /// The report as text for people.
    pub summary: String,
    /// Sessions that met their policy.
    pub succeeded: u64,
    /// Sessions that did not.
    pub failed: u64,
    /// Its destinations.
    pub deliveries: Vec<NewDelivery>,
    /// Its counts under the DANE policies of MX hosts, which get their own reports.
    pub mx_hosts: Vec<MxHostShare>,
}

/// The counts in the report of a domain under the DANE policies of an MX host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MxHostShare {
    /// The MX host, in lower case.
    pub host: String,
    /// The recipient domain.
    pub domain: String,
    /// The destinations of the report of the domain.
    pub destinations: Vec<String>,
    /// The policies, without records.
    pub policies: Vec<PolicyCounts>,
}

/// One destination of a new report.
#[derive(Debug)]
pub struct NewDelivery {
    /// The URI. An invalid one as it is in the record.
    pub destination: String,
    /// The domain of a mail address. None for HTTPS.
    pub mail_domain: Option<String>,
    /// A random number in the envelope sender of a mail, so that only a receiver of the mail can return it.
    pub token: u32,
    /// [`DeliveryState::Waiting`], or another state if no attempt is made.
    pub state: DeliveryState,
    /// When the first attempt is due.
    pub due: Timestamp,
    /// The reason if no attempt is made.
    pub answer: String,
}

/// A delivery in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its number in the store, also in the envelope sender of a mail.
    pub id: i64,
    /// The number of its report in the store.
    pub report: i64,
    /// The URI.
    pub destination: String,
    /// See [`NewDelivery::token`].
    pub token: u32,
    /// Its state.
    pub state: DeliveryState,
    /// The number of attempts so far.
    pub attempts: u32,
    /// When the first attempt was made.
    pub first_attempt: Option<Timestamp>,
    /// When the last attempt was made.
    pub last_attempt: Option<Timestamp>,
    /// When the next is due.
    pub next_attempt: Option<Timestamp>,
    /// An attempt ended without an answer, so the destination may have the report already.
    pub unknown: bool,
    /// The text of the last answer of the server, or the last error.
    pub answer: String,
    /// A problem that did not prevent the delivery.
    pub warning: Option<String>,
    /// The bytes of the content of its report, see [`KeptReport`].
    pub report_size: u64,
}

/// A report in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptReport {
    /// Its number in the store.
    pub id: i64,
    /// The UTC day that it is about.
    pub day: Date,
    /// The policy domain.
    pub domain: String,
    /// The number among the reports about this domain and day, from 1.
    pub number: u32,
    /// The report id.
    pub report_id: String,
    /// When it was made.
    pub made: Timestamp,
    /// The file name.
    pub file_name: String,
    /// The JSON text, compressed by gzip. Empty in lists.
    pub compressed: Vec<u8>,
    /// The report as text for people. Empty in lists.
    pub summary: String,
    /// Sessions that met their policy.
    pub succeeded: u64,
    /// Sessions that did not.
    pub failed: u64,
}

/// The outcome of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The number of the delivery.
    pub delivery: i64,
    /// When it ended.
    pub at: Timestamp,
    /// Whether anything was sent. If not, the delivery was only postponed or ended.
    pub tried: bool,
    /// The new state.
    pub state: DeliveryState,
    /// When the next attempt is due, if the state is waiting.
    pub next_attempt: Option<Timestamp>,
    /// The attempt ended without an answer.
    pub unknown: bool,
    /// The answer or the error.
    pub answer: String,
    /// A problem that did not prevent the delivery.
    pub warning: Option<String>,
}

/// How often a reporter renews the leases on its attempts. One that does not for four times as long has lost them.
pub const RENEWAL: Duration = Duration::from_secs(15);

/// The result of renewing the leases on attempts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Leases {
    /// The attempts that another reporter may make now. They are not to be begun.
    pub lost: Vec<i64>,
    /// How many deliveries of a reporter that is gone wait again.
    pub taken_over: u64,
}

/// A destination or domain that gets no reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// A destination, or a domain.
    pub target: String,
    /// The end of the suppression. None if it has no end.
    pub until: Option<Timestamp>,
    /// The length in days of a suppression by a bounce. None if an operator made it.
    pub days: Option<u32>,
    /// The reason.
    pub reason: String,
}

/// The protocol of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// By mail.
    Mail,
    /// By HTTPS.
    Https,
}

/// The conditions for listed reports. `None` is no condition.
#[derive(Debug, Clone, Default)]
pub struct ReportFilter {
    /// Only reports about this day.
    pub day: Option<Date>,
    /// Only reports about this domain.
    pub domain: Option<String>,
    /// Only reports with a delivery in this state.
    pub state: Option<DeliveryState>,
}

/// The operations of the reporter on a store.
pub trait ReportStore: Store + Reader + AlertStore + std::fmt::Debug {
    /// The days before `end` that have counts in no report, the oldest first.
    fn unreported_days(&mut self, end: Date) -> Result<Vec<Date>, Error>;

    /// Passes up to `limit` domains of a day with counts in no report to `make`, with at most `failures` each, in the order
    /// of their names, from the first name after `after`. Keeps the report that `make` returns, and marks the counts as reported even if it
    /// returns `None`. All in one transaction. Returns the last domain; `None` if there was no domain.
    ///
    /// # Errors
    ///
    /// The store is unchanged then.
    fn make_reports(
        &mut self,
        day: Date,
        after: &str,
        limit: usize,
        failures: FailureLimit,
        make: &mut dyn FnMut(&Unreported) -> Option<NewReport>,
    ) -> Result<Option<String>, Error>;

    /// The counts of a domain on a day that are in no report yet, with at most `failures`.
    fn unreported(&mut self, day: Date, domain: &str, failures: FailureLimit) -> Result<Option<Unreported>, Error>;

    /// Up to `limit` MX hosts that wait for their own report, and whose TLSRPT record is to be looked up at `now`, with
    /// the day of the report. The longest waiting first. With `day`, only about that day. No other reporter looks them up
    /// for some minutes.
    fn mx_hosts(&mut self, now: Timestamp, day: Option<Date>, limit: usize) -> Result<Vec<(Date, String)>, Error>;

    /// Whether [`Self::mx_hosts`] would return a host.
    fn has_mx_hosts(&mut self, now: Timestamp, day: Option<Date>) -> Result<bool, Error>;

    /// How many MX hosts wait for a report of their own, one for each day. With `day`, only about that day.
    fn waiting_mx_hosts(&mut self, day: Option<Date>) -> Result<u64, Error>;

    /// Passes the shares of an MX host to `make`, with the number of its first report. Keeps the reports that `make`
    /// returns and removes the shares. All in one transaction. Returns the number of reports.
    fn make_mx_host_reports(
        &mut self,
        day: Date,
        host: &str,
        make: &mut dyn FnMut(u32, &[MxHostShare]) -> Vec<NewReport>,
    ) -> Result<u64, Error>;

    /// Postpones the lookup of the record of an MX host.
    fn put_off_mx_host(&mut self, day: Date, host: &str, until: Timestamp) -> Result<(), Error>;

    /// Makes this process a reporter of the store: of one that many hosts share, one of several, and of one in a file the
    /// only one, until it ends. Deliveries whose attempt was interrupted by a crash become waiting again, with an unknown
    /// outcome. Returns their number.
    ///
    /// # Errors
    ///
    /// [`crate::ErrorKind::Locked`] if another process is the only reporter.
    fn become_reporter(&mut self, now: Timestamp) -> Result<u64, Error>;

    /// Begins an attempt of up to `limit` waiting deliveries of a route that are due at `now`, those that are due
    /// longest first. With `day`, only those of reports about that day. Until [`Self::end_attempts`] their outcome is
    /// unknown.
    fn begin_attempts(
        &mut self,
        route: Route,
        now: Timestamp,
        day: Option<Date>,
        limit: usize,
    ) -> Result<Vec<Delivery>, Error>;

    /// Keeps the attempts for this reporter, which has begun them and still works on them. To be called every [`RENEWAL`].
    /// Attempts of a reporter that is gone become waiting again, with an unknown outcome.
    fn renew_leases(&mut self, attempts: &[i64]) -> Result<Leases, Error>;

    /// Keeps the outcomes of attempts, in one transaction. A delivery that was cancelled meanwhile
    /// stays cancelled, unless it was delivered.
    fn end_attempts(&mut self, attempts: &[Attempt]) -> Result<(), Error>;

    /// Whether a waiting delivery is due. With `day`, only those of reports about that day count.
    fn has_due(&mut self, now: Timestamp, day: Option<Date>) -> Result<bool, Error>;

    /// The number of waiting deliveries. With `day`, only those of reports about that day. Reads each of them.
    fn waiting(&mut self, day: Option<Date>) -> Result<u64, Error>;

    /// Makes all ended deliveries of a report wait again, due at `now`, with a new period of attempts. Leaves out those
    /// for which no attempt is made. Returns their number.
    fn resend(&mut self, report: i64, now: Timestamp) -> Result<u64, Error>;

    /// Cancels the waiting deliveries of a report. One whose attempt is under way may still arrive. Returns their
    /// number.
    fn cancel(&mut self, report: i64) -> Result<u64, Error>;

    /// Counts an attempt at a destination in the hour that begins then. Returns how many there were before in that hour,
    /// by all reporters.
    fn count_attempt(&mut self, destination: &str, hour: Timestamp) -> Result<u64, Error>;

    /// Keeps a report that another program made, with the next number of its domain and day, unless the store has a report
    /// with this report id about the domain and the day. Returns whether it kept it.
    fn keep_report(&mut self, day: Date, domain: &str, report: &NewReport) -> Result<bool, Error>;

    /// The number of the last batch of this writer in the store, 0 if there is none.
    fn last_batch(&mut self, writer: &str) -> Result<u64, Error>;

    /// A report with its content.
    fn report(&mut self, id: i64) -> Result<Option<KeptReport>, Error>;

    /// Up to `limit` reports, the newest day first, without their content.
    fn reports(&mut self, filter: &ReportFilter, limit: usize) -> Result<Vec<KeptReport>, Error>;

    /// The deliveries of a report.
    fn deliveries(&mut self, report: i64) -> Result<Vec<Delivery>, Error>;

    /// A delivery.
    fn delivery(&mut self, id: i64) -> Result<Option<Delivery>, Error>;

    /// Adds a target to the suppression list, or replaces its entry.
    fn suppress(&mut self, suppression: &Suppression) -> Result<(), Error>;

    /// Removes a target from the suppression list. Returns whether it was on the list.
    fn end_suppression(&mut self, target: &str) -> Result<bool, Error>;

    /// The suppression list, by target.
    fn suppressions(&mut self) -> Result<Vec<Suppression>, Error>;

    /// The entry of a target.
    fn suppression(&mut self, target: &str) -> Result<Option<Suppression>, Error>;

    /// Forgets a host that shares the store: no day waits for it any more. Returns whether there was such a host.
    fn forget_host(&mut self, name: &str) -> Result<bool, Error>;
}
