//! The whole host.

use std::path::PathBuf;

use jiff::{Timestamp, tz::TimeZone};
use tlsrpt_store::{Error, Url, open_reader};

use crate::{attention::attention, collector::Collector, stored::Stored};

/// Where to look.
#[derive(Debug, Clone)]
pub struct Place {
    /// The socket of the collector.
    pub socket: PathBuf,
    /// The store.
    pub store: Url,
}

/// How the host is doing.
#[derive(Debug)]
pub struct Status {
    /// Where this was found.
    pub place: Place,
    /// When.
    pub now: Timestamp,
    /// Whether the collector takes events.
    pub collector: Collector,
    /// What the store answered.
    pub stored: Result<Stored, Error>,
    /// What needs a person, one line each: the fact and the remedy. Safe to show.
    pub attention: Vec<String>,
}

impl Status {
    /// Looks at the socket and reads the store. `integrity`: all of the store is checked, which takes its time.
    #[must_use]
    pub fn look(place: Place, now: Timestamp, integrity: bool) -> Self {
        let today = now.to_zoned(TimeZone::UTC).date();
        let collector = Collector::look(&place.socket);
        let stored = open_reader(&place.store)
            .and_then(|mut reader| Stored::read(reader.as_mut(), &place.store, today, integrity));
        let attention = attention(&place.socket, &collector, &stored, today);
        Self { place, now, collector, stored, attention }
    }

    /// Seconds since the latest event. None: there is none. 0 if the clock was set back since.
    #[must_use]
    pub fn age(&self) -> Option<u64> {
        let last = self.stored.as_ref().ok()?.last_event?;
        Some(u64::try_from(self.now.as_second() - last.as_second()).unwrap_or(0))
    }
}
