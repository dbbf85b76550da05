//! The whole host.

use jiff::{Timestamp, tz::TimeZone};
use tlsrpt_store::{Error, ErrorKind, SpoolState, Url, look_at_spool, open_reader};

use crate::{
    attention::{attention, of_spool},
    collector::Collector,
    extent::Extent,
    notes::notes,
    place::Place,
    stored::Stored,
};

/// The status of the host.
#[derive(Debug)]
pub struct Status {
    /// The examined socket and store.
    pub place: Place,
    /// The time of this status.
    pub now: Timestamp,
    /// Whether the collector receives events.
    pub collector: Collector,
    /// The data from the store.
    pub stored: Result<Stored, Error>,
    /// What waits in the spool. None if the store is a file of this host.
    pub spool: Option<Result<SpoolState, Error>>,
    /// The facts that need attention, one line each with the remedy. Safe to show.
    pub attention: Vec<String>,
    /// Facts that need no attention of this host, and that whoever looks at it should know. One line each. Safe to show.
    pub notes: Vec<String>,
}

impl Status {
    /// Examines the socket and reads the store.
    #[must_use]
    pub fn look(place: Place, now: Timestamp, extent: Extent) -> Self {
        let today = now.to_zoned(TimeZone::UTC).date();
        let collector = Collector::look(&place.socket);
        let stored =
            open_reader(&place.store).and_then(|mut reader| Stored::read(reader.as_mut(), &place.store, today, extent));
        let spool = match &place.store {
            Url::Sqlite(_) => None,
            Url::Postgresql(_) => Some(look_at_spool(&place.spool)),
        };
        let mut attention = attention(&place, &collector, &stored, today, extent);
        attention.extend(spool.iter().flat_map(|spool| of_spool(spool, now)));
        let notes = notes(&stored, extent);
        Self { place, now, collector, stored, spool, attention, notes }
    }

    /// Whether the store works, as far as its role may know: that of a collector may only add to it.
    #[must_use]
    pub fn store_works(&self) -> bool {
        self.stored.as_ref().err().is_none_or(|error| error.kind() == ErrorKind::AddsOnly)
    }

    /// Seconds since the latest event. None if there is no event. 0 if the clock was set back since.
    #[must_use]
    pub fn age(&self) -> Option<u64> {
        let last = self.stored.as_ref().ok()?.last_event?;
        Some(u64::try_from(self.now.as_second() - last.as_second()).unwrap_or(0))
    }
}
