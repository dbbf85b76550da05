//! Reports and their deliveries: what the reporter keeps in the store.

use jiff::{Timestamp, civil::Date};

use crate::{DeliveryState, Error, PolicyCounts, Store};

/// What a domain has on one day that is in no report yet.
#[derive(Debug)]
pub struct Unreported {
    /// In lower case, without a dot at the end; or [`crate::OTHER_DOMAINS`].
    pub domain: String,
    /// The number of the report that would have it, from 1.
    pub number: u32,
    /// The counts, less what earlier reports about the day have.
    pub policies: Vec<PolicyCounts>,
    /// Report mails that servers of the domain took on that day.
    pub report_mails: u64,
}

/// A report to keep, with where it goes.
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
    /// The report in words.
    pub summary: String,
    /// Sessions that met their policy.
    pub succeeded: u64,
    /// Sessions that did not.
    pub failed: u64,
    /// Where it goes.
    pub deliveries: Vec<NewDelivery>,
    /// What it says about MX hosts that get reports of their own.
    pub mx_hosts: Vec<MxHostShare>,
}

/// What the report of a domain says about the DANE policies of an MX host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MxHostShare {
    /// The MX host, in lower case.
    pub host: String,
    /// The recipient domain.
    pub domain: String,
    /// Where the report of the domain goes.
    pub destinations: Vec<String>,
    /// The policies, without records.
    pub policies: Vec<PolicyCounts>,
}

/// One destination of a new report.
#[derive(Debug)]
pub struct NewDelivery {
    /// The URI. One that cannot be served stands here as the record has it.
    pub destination: String,
    /// The domain of a mail address. None for HTTPS.
    pub mail_domain: Option<String>,
    /// Nobody can guess it: part of the envelope sender of a mail, so that only who got the mail can return it.
    pub token: u32,
    /// [`DeliveryState::Waiting`], or another state where it is never tried.
    pub state: DeliveryState,
    /// When the first attempt is due.
    pub due: Timestamp,
    /// Why it is never tried, where that is so.
    pub answer: String,
}

/// A delivery as the store has it.
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
    /// What has become of it.
    pub state: DeliveryState,
    /// Attempts so far.
    pub attempts: u32,
    /// When the first attempt was made.
    pub first_attempt: Option<Timestamp>,
    /// When the last attempt was made.
    pub last_attempt: Option<Timestamp>,
    /// When the next is due.
    pub next_attempt: Option<Timestamp>,
    /// An attempt ended without an answer, so the destination may have the report already.
    pub unknown: bool,
    /// The last answer of the server in its words, or the last error.
    pub answer: String,
    /// What was wrong although the report was taken.
    pub warning: Option<String>,
}

/// A report as the store has it.
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
    /// The report in words. Empty in lists.
    pub summary: String,
    /// Sessions that met their policy.
    pub succeeded: u64,
    /// Sessions that did not.
    pub failed: u64,
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The number of the delivery.
    pub delivery: i64,
    /// When it ended.
    pub at: Timestamp,
    /// Whether anything was sent. Without it, the delivery was only put off or ended.
    pub tried: bool,
    /// The state from now on.
    pub state: DeliveryState,
    /// When the next attempt is due, where the state is waiting.
    pub next_attempt: Option<Timestamp>,
    /// The attempt ended without an answer.
    pub unknown: bool,
    /// The answer or the error.
    pub answer: String,
    /// What was wrong although the report was taken.
    pub warning: Option<String>,
}

/// A destination or domain that gets no reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// A destination, or a domain.
    pub target: String,
    /// Until when; for ever without it.
    pub until: Option<Timestamp>,
    /// The days of the last suppression by a bounce. None where an operator made it.
    pub days: Option<u32>,
    /// Why.
    pub reason: String,
}

/// How a report travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// By mail.
    Mail,
    /// By HTTPS.
    Https,
}

/// Which reports to list.
#[derive(Debug, Clone, Default)]
pub struct ReportFilter {
    /// About this day.
    pub day: Option<Date>,
    /// About this domain.
    pub domain: Option<String>,
    /// With a delivery in this state.
    pub state: Option<DeliveryState>,
}

/// What the reporter does with a store.
pub trait ReportStore: Store + std::fmt::Debug {
    /// The days before `end` that have counts in no report, the oldest first.
    fn unreported_days(&mut self, end: Date) -> Result<Vec<Date>, Error>;

    /// Takes up to `limit` domains of a day with counts in no report, by name from the first after `after`, and passes each to `make`.
    /// What `make` returns is kept, and the counts are marked as reported also where it returns none. All in one transaction. The
    /// last domain; none where there was none.
    ///
    /// # Errors
    ///
    /// Nothing of it is in the store.
    fn make_reports(
        &mut self,
        day: Date,
        after: &str,
        limit: usize,
        make: &mut dyn FnMut(&Unreported) -> Option<NewReport>,
    ) -> Result<Option<String>, Error>;

    /// What a domain has on a day that is in no report yet.
    fn unreported(&mut self, day: Date, domain: &str) -> Result<Option<Unreported>, Error>;

    /// Up to `limit` MX hosts that wait for a report of their own, and whose TLSRPT record is to be looked up at `now`, with the day that
    /// the report is about. The longest waiting first. With `day`, only about that day.
    fn mx_hosts(&mut self, now: Timestamp, day: Option<Date>, limit: usize) -> Result<Vec<(Date, String)>, Error>;

    /// Passes what reports say about an MX host to `make`, with the number of its first report, and keeps the reports that it returns.
    /// All in one transaction; after it the host waits no more for these. How many reports.
    fn make_mx_host_reports(
        &mut self,
        day: Date,
        host: &str,
        make: &mut dyn FnMut(u32, &[MxHostShare]) -> Vec<NewReport>,
    ) -> Result<u64, Error>;

    /// Looks the record of an MX host up later.
    fn put_off_mx_host(&mut self, day: Date, host: &str, until: Timestamp) -> Result<(), Error>;

    /// Makes this process the one reporter of the store until it ends, and makes deliveries wait whose attempt a crash
    /// interrupted, marked as unknown. How many those are.
    ///
    /// # Errors
    ///
    /// [`crate::ErrorKind::Locked`] where another process is the reporter.
    fn become_reporter(&mut self, now: Timestamp) -> Result<u64, Error>;

    /// Begins an attempt of up to `limit` waiting deliveries of a route that are due at `now`, the longest due first. With `day`, only
    /// those of reports about that day. Until [`Self::end_attempts`] their outcome is unknown.
    fn begin_attempts(
        &mut self,
        route: Route,
        now: Timestamp,
        day: Option<Date>,
        limit: usize,
    ) -> Result<Vec<Delivery>, Error>;

    /// Keeps the outcomes of attempts, in one transaction. A delivery that was cancelled meanwhile
    /// stays cancelled, unless it was delivered.
    fn end_attempts(&mut self, attempts: &[Attempt]) -> Result<(), Error>;

    /// When the next delivery is due, and how many wait. With `day`, only those of reports about that day.
    fn waiting(&mut self, day: Option<Date>) -> Result<(Option<Timestamp>, u64), Error>;

    /// Makes the deliveries of a report wait again that have ended, whatever became of them, due at `now` and with a day of attempts
    /// before them. Not those that were never to be tried. How many.
    fn resend(&mut self, report: i64, now: Timestamp) -> Result<u64, Error>;

    /// Ends the deliveries of a report that wait. One that is under way may still arrive. How many.
    fn cancel(&mut self, report: i64) -> Result<u64, Error>;

    /// Attempts at a destination since a moment.
    fn attempts_since(&mut self, destination: &str, since: Timestamp) -> Result<u64, Error>;

    /// A report, whole.
    fn report(&mut self, id: i64) -> Result<Option<KeptReport>, Error>;

    /// Up to `limit` reports, the newest day first, without their content.
    fn reports(&mut self, filter: &ReportFilter, limit: usize) -> Result<Vec<KeptReport>, Error>;

    /// The deliveries of a report.
    fn deliveries(&mut self, report: i64) -> Result<Vec<Delivery>, Error>;

    /// A delivery.
    fn delivery(&mut self, id: i64) -> Result<Option<Delivery>, Error>;

    /// Puts a target on the suppression list, in the place of an earlier entry.
    fn suppress(&mut self, suppression: &Suppression) -> Result<(), Error>;

    /// Takes a target off the suppression list. Whether it was on it.
    fn end_suppression(&mut self, target: &str) -> Result<bool, Error>;

    /// The suppression list, by target.
    fn suppressions(&mut self) -> Result<Vec<Suppression>, Error>;

    /// The entry of a target.
    fn suppression(&mut self, target: &str) -> Result<Option<Suppression>, Error>;
}
