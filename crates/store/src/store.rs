//! What an engine does.

use jiff::{Timestamp, civil::Date};

use crate::{Added, Batch, DayCounts, DeliveryState, DomainCounts, Error, InvalidCounts, PolicyCounts};

/// What can be asked of a store.
pub trait Reader: Send {
    /// The days that have anything, the newest first.
    fn days(&mut self) -> Result<Vec<DayCounts>, Error>;

    /// The invalid datagrams of a day by reason, the most frequent first.
    fn invalid(&mut self, day: Date) -> Result<Vec<InvalidCounts>, Error>;

    /// Up to `limit` domains of a day by name, from the first name after `after`. `""` begins.
    fn domains(&mut self, day: Date, after: &str, limit: usize) -> Result<Vec<DomainCounts>, Error>;

    /// Up to `limit` domains of a day that have failed events, the most failed events first.
    fn most_failed(&mut self, day: Date, limit: usize) -> Result<Vec<DomainCounts>, Error>;

    /// The policies of a domain on a day with their sessions and failures. The domain in any case, with or without a dot
    /// at the end. Ordered by record, then by when the store first saw the policy; failures by count, largest first.
    fn policies(&mut self, day: Date, domain: &str) -> Result<Vec<PolicyCounts>, Error>;

    /// How many deliveries of the reports about a day are in each state that has any.
    fn delivery_counts(&mut self, day: Date) -> Result<Vec<(DeliveryState, u64)>, Error>;

    /// How many reports about a day were made.
    fn report_count(&mut self, day: Date) -> Result<u64, Error>;

    /// When the latest valid event arrived.
    fn last_event(&mut self) -> Result<Option<Timestamp>, Error>;

    /// The size of the store in bytes, with what belongs to it.
    fn size(&mut self) -> Result<u64, Error>;

    /// Looks at all of the store. What is wrong, a line each; none where all is well.
    fn check(&mut self) -> Result<Vec<String>, Error>;
}

/// What the collector does with a store. To open one is to migrate it to the schema of this program.
pub trait Store: Reader {
    /// Adds a batch in one transaction. A batch with an id that was added before changes nothing, so a batch whose
    /// outcome is unknown can be added again.
    ///
    /// # Errors
    ///
    /// None of the batch is in the store, or its outcome is unknown. See [`Error::kind`].
    fn add(&mut self, batch: &Batch) -> Result<Added, Error>;

    /// Removes all days before `first`, and what only they referred to. What it removed.
    fn purge(&mut self, first: Date) -> Result<Purged, Error>;
}

/// What [`Store::purge`] removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Purged {
    /// Days.
    pub days: u64,
    /// Events of these days that were in no report.
    pub unreported: u64,
    /// Deliveries of reports about these days that waited for another attempt.
    pub waiting: u64,
}
