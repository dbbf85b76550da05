//! The data of the store about today, yesterday and the days before.

use std::{collections::BTreeMap, path::Path};

use jiff::{Timestamp, ToSpan, civil::Date};
use nix::sys::statvfs::statvfs;
use tlsrpt_store::{Alert, DayCounts, DeliveryState, DomainCounts, Error, Host, Reader, Reason, Url, reasons};

use crate::extent::Extent;

/// The number of listed domains.
pub(crate) const WORST: usize = 10;

/// How many days before today, yesterday first, may have deliveries that ended since yesterday: a report is tried for a day.
pub(crate) const RECENT_REPORTS: u8 = 2;

/// The data from a store.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its days, the newest first. Today and yesterday are among them, with zeros if they have no events.
    pub days: Vec<DayCounts>,
    /// The domains with most failed events of today and yesterday, the most failed events first.
    pub worst: Vec<Worst>,
    /// The invalid datagrams of today and yesterday, the most frequent reason of each day first.
    pub invalid: Vec<InvalidOfDay>,
    /// The reports about yesterday.
    pub reports: Reports,
    /// The reports about the days before today, yesterday first: as many days as [`Extent`] has.
    pub reports_by_day: Vec<Reports>,
    /// The hosts that share the store, by name.
    pub hosts: Vec<Host>,
    /// The domains whose sessions have begun to fail.
    pub alerts: Vec<Alert>,
    /// When the latest valid event arrived.
    pub last_event: Option<Timestamp>,
    /// The size in bytes.
    pub size: u64,
    /// Its file system. None if it has no file on this host, or if the system returns an error.
    pub disk: Option<Disk>,
    /// The findings of the integrity check. None if it was not requested.
    pub damage: Option<Vec<String>>,
}

/// The reports about a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reports {
    /// The day.
    pub day: Date,
    /// The number of reports.
    pub made: u64,
    /// The number of their deliveries in each state, all states in the order of [`DeliveryState::ALL`].
    pub deliveries: Vec<(DeliveryState, u64)>,
}

impl Reports {
    fn read(reader: &mut dyn Reader, day: Date) -> Result<Self, Error> {
        let counts = reader.delivery_counts(day)?;
        let in_state = |state| counts.iter().filter(|(counted, _)| *counted == state).map(|(_, number)| number).sum();
        let deliveries = DeliveryState::ALL.map(|state| (state, in_state(state))).to_vec();
        Ok(Self { day, made: reader.report_count(day)?, deliveries })
    }

    /// The number of deliveries in a state.
    #[must_use]
    pub fn in_state(&self, state: DeliveryState) -> u64 {
        self.deliveries.iter().filter(|(counted, _)| *counted == state).map(|(_, number)| number).sum()
    }

    /// In words: `3 made; deliveries: 2 delivered, 1 waiting`.
    #[must_use]
    pub fn in_words(&self) -> String {
        let states: Vec<_> = self
            .deliveries
            .iter()
            .filter(|(_, number)| *number > 0)
            .map(|(state, number)| format!("{number} {}", state.name()))
            .collect();
        match (self.made, states.is_empty()) {
            (0, _) => "none made".into(),
            (made, true) => format!("{made} made, without a destination"),
            (made, false) => format!("{made} made; deliveries: {}", states.join(", ")),
        }
    }
}

/// A domain with failed events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worst {
    /// Its name.
    pub domain: String,
    /// Events of today and yesterday.
    pub events: u64,
    /// Of these, events with a policy that the session did not meet.
    pub failed: u64,
    /// The reasons, the most frequent first.
    pub reasons: Vec<Reason>,
}

/// Invalid datagrams of a day with one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidOfDay {
    /// The day.
    pub day: Date,
    /// The short name of the reason.
    pub reason: String,
    /// How many.
    pub datagrams: u64,
}

/// A file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disk {
    /// Bytes that the collector may still use.
    pub free: u64,
    /// Its size in bytes.
    pub size: u64,
}

impl Stored {
    /// Reads the store.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub(crate) fn read(reader: &mut dyn Reader, url: &Url, today: Date, extent: Extent) -> Result<Self, Error> {
        let recent = recent(today);
        let mut invalid = Vec::new();
        for day in recent {
            let of_day = reader.invalid(day)?.into_iter();
            invalid.extend(of_day.map(|counts| InvalidOfDay {
                day,
                reason: counts.reason,
                datagrams: counts.datagrams,
            }));
        }
        let days_before =
            (1..=i64::from(extent.report_days.max(RECENT_REPORTS))).map(|number| today.saturating_sub(number.days()));
        let reports_by_day = days_before.map(|day| Reports::read(reader, day)).collect::<Result<Vec<_>, Error>>()?;
        Ok(Self {
            days: with_recent(reader.days()?, &recent),
            worst: worst(reader, &recent)?,
            invalid,
            reports: reports_by_day[0].clone(),
            reports_by_day,
            hosts: reader.hosts()?,
            alerts: reader.alerts()?,
            last_event: reader.last_event()?,
            size: reader.size()?,
            disk: disk(url),
            damage: if extent.integrity { Some(reader.check()?) } else { None },
        })
    }
}

/// Today and yesterday.
pub(crate) fn recent(today: Date) -> [Date; 2] {
    [today, today.yesterday().unwrap_or(today)]
}

fn with_recent(mut days: Vec<DayCounts>, recent: &[Date]) -> Vec<DayCounts> {
    for day in recent {
        if days.iter().all(|counts| counts.day != *day) {
            days.push(empty(*day));
        }
    }
    days.sort_by_key(|counts| std::cmp::Reverse(counts.day));
    days
}

fn empty(day: Date) -> DayCounts {
    DayCounts {
        day,
        events: 0,
        failed: 0,
        domains: 0,
        policies: 0,
        failures: 0,
        invalid: 0,
        dropped: 0,
        last_event: None,
    }
}

fn worst(reader: &mut dyn Reader, days: &[Date]) -> Result<Vec<Worst>, Error> {
    /// A domain may be among the ten worst of two days together, and not among the ten worst of either day.
    const OF_A_DAY: usize = 100;
    let mut sums = BTreeMap::<String, (u64, u64)>::new();
    for day in days {
        for DomainCounts { domain, events, failed } in reader.most_failed(*day, OF_A_DAY)? {
            let sum = sums.entry(domain).or_default();
            *sum = (sum.0 + events, sum.1 + failed);
        }
    }
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by_key(|(_, (_, failed))| std::cmp::Reverse(*failed));
    sums.truncate(WORST);
    let with_reasons = |(domain, (events, failed)): (String, (u64, u64))| {
        let mut policies = Vec::new();
        for day in days {
            policies.extend(reader.policies(*day, &domain)?);
        }
        Ok(Worst { domain, events, failed, reasons: reasons(&policies) })
    };
    sums.into_iter().map(with_reasons).collect()
}

fn disk(url: &Url) -> Option<Disk> {
    let Url::Sqlite(path) = url else { return None };
    let found = statvfs(path.parent().unwrap_or(Path::new("/"))).ok()?;
    Some(Disk {
        free: found.blocks_available().saturating_mul(found.fragment_size()),
        size: found.blocks().saturating_mul(found.fragment_size()),
    })
}
