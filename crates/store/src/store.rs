//! The operations of an engine.

use jiff::{Timestamp, ToSpan, civil::Date};

use crate::{Added, Alert, Batch, DayCounts, DeliveryState, DomainCounts, Error, Host, InvalidCounts, PolicyCounts};

/// The operations that read a store.
pub trait Reader: Send {
    /// The days with counters, the newest first.
    fn days(&mut self) -> Result<Vec<DayCounts>, Error>;

    /// The invalid datagrams of a day by reason, the most frequent first.
    fn invalid(&mut self, day: Date) -> Result<Vec<InvalidCounts>, Error>;

    /// Up to `limit` domains of a day by name, from the first name after `after`; `""` is before all names.
    fn domains(&mut self, day: Date, after: &str, limit: usize) -> Result<Vec<DomainCounts>, Error>;

    /// Up to `limit` domains of a day that have failed events, the most failed events first.
    fn most_failed(&mut self, day: Date, limit: usize) -> Result<Vec<DomainCounts>, Error>;

    /// The policies of a domain on a day with their sessions and failures. The domain may be in any case, with or
    /// without a dot at the end. Ordered by record, then by the time at which the store first had the policy; failures
    /// by count, the largest first.
    fn policies(&mut self, day: Date, domain: &str) -> Result<Vec<PolicyCounts>, Error>;

    /// The number of deliveries of the reports about a day in each state, without the states that have none.
    fn delivery_counts(&mut self, day: Date) -> Result<Vec<(DeliveryState, u64)>, Error>;

    /// The number of reports about a day.
    fn report_count(&mut self, day: Date) -> Result<u64, Error>;

    /// When the latest valid event arrived.
    fn last_event(&mut self) -> Result<Option<Timestamp>, Error>;

    /// Whether a process is the reporter of the store now, as far as this user may know.
    fn has_reporter(&mut self) -> Result<bool, Error>;

    /// The hosts that share the store, by name. A store in a file has none.
    fn hosts(&mut self) -> Result<Vec<Host>, Error>;

    /// The domains whose sessions have begun to fail, the oldest alert first.
    fn alerts(&mut self) -> Result<Vec<Alert>, Error>;

    /// The size of the store in bytes, with its temporary files.
    fn size(&mut self) -> Result<u64, Error>;

    /// Reads all of the store. Returns a line for each fault.
    fn check(&mut self) -> Result<Vec<String>, Error>;
}

/// The operations of the collector on a store, which [`crate::open`] has migrated to the schema of this program.
pub trait Store: Send {
    /// Adds a batch in one transaction. A batch with an id that was added before changes nothing, so a batch whose
    /// outcome is unknown can be added again.
    ///
    /// # Errors
    ///
    /// The store is unchanged, or the outcome is unknown. See [`Error::kind`].
    fn add(&mut self, batch: &Batch) -> Result<Added, Error>;

    /// Removes the days before those that are kept, and the texts that only they refer to. Returns what it removed.
    ///
    /// If the clock jumps far ahead, this must not remove all days: it removes days only if the store also has a day that
    /// is kept and before today.
    fn purge(&mut self, kept: KeptDays) -> Result<Purged, Error>;
}

/// The days that a store keeps: `keep-days` of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptDays {
    /// The first.
    pub first: Date,
    /// The last.
    pub today: Date,
}

impl KeptDays {
    /// The last days, today included.
    #[must_use]
    pub fn last(number: u32, today: Date) -> Self {
        let before = i64::from(number.saturating_sub(1)).days();
        Self { first: today.checked_sub(before).unwrap_or(Date::MIN), today }
    }

    /// Whether the clock seems right, by the days of a store.
    pub(crate) fn are_plausible(self, days: impl IntoIterator<Item = Date>) -> bool {
        days.into_iter().any(|day| self.first <= day && day < self.today)
    }
}

/// The numbers of removed items of [`Store::purge`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Purged {
    /// Days.
    pub days: u64,
    /// Events of these days that were in no report.
    pub unreported: u64,
    /// Deliveries of reports about these days that waited for another attempt.
    pub waiting: u64,
}

impl Purged {
    /// How much was removed. None if nothing was.
    #[must_use]
    pub fn summary(&self) -> Option<String> {
        (self.days > 0).then(|| format!("{} days older than keep-days were removed", self.days))
    }

    /// Why it deserves a warning: what was removed is in no report, or not delivered. Safe to show.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        let Self { unreported, waiting, .. } = self;
        (*unreported > 0 || *waiting > 0).then(|| {
            format!(
                "{unreported} events of the removed days were in no report, and {waiting} deliveries of reports about them \
                 waited; run tlsrpt deliver every day, or set a larger keep-days in [store]"
            )
        })
    }
}
