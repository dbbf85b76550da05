//! What a run costs the server.

use std::{error::Error, time::Duration};

use super::{load::Load, site::Site};

/// One load, from its first event until the server has committed the last one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    pub(crate) load: Load,
    pub(crate) time: Duration,
    /// Each batch is one transaction.
    pub(crate) batches: u64,
    /// The seconds that the processors worked for the server.
    pub(crate) server_seconds: f64,
    /// The bytes of the write-ahead log.
    pub(crate) wal: u64,
}

impl Run {
    /// Measures a load that is sent through new collectors.
    pub(crate) fn measure(site: &Site, load: Load, collectors: usize) -> Result<Self, Box<dyn Error>> {
        let counters = || -> Result<_, Box<dyn Error>> {
            let events = site.number("SELECT coalesce(sum(events), 0) FROM day")?;
            let batches = "SELECT coalesce(sum(calls), 0) FROM pg_stat_user_functions WHERE funcname = 'add_batch'";
            let wal = "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn";
            Ok((events, site.number(batches)?, site.server_seconds()?, site.number(wal)?))
        };
        let before = counters()?;
        let time = site.take(load, collectors, before.0)?;
        let after = counters()?;
        let (batches, server_seconds, wal) = (after.1 - before.1, after.2 - before.2, after.3 - before.3);
        Ok(Self { load, time, batches, server_seconds, wal })
    }

    pub(crate) fn rate(&self) -> f64 {
        self.load.events as f64 / self.time.as_secs_f64()
    }

    /// The share of one core that worked for the server.
    pub(crate) fn cores(&self) -> f64 {
        self.server_seconds / self.time.as_secs_f64()
    }

    pub(crate) fn batches_a_second(&self) -> f64 {
        self.batches as f64 / self.time.as_secs_f64()
    }

    pub(crate) fn wal_of_an_event(&self) -> f64 {
        self.wal as f64 / self.load.events as f64
    }
}

/// The tables of the store, by what they hold.
pub(crate) const TABLES: [(&str, &[&str]); 3] = [
    ("counters of the day", &["domain_of_day", "sessions", "failures"]),
    ("texts, kept for all days", &["domain", "record", "policy", "failure"]),
    ("reports of the day and their deliveries", &["report", "delivery"]),
];

/// The rows and bytes of some tables.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) rows: u64,
    pub(crate) tables: u64,
    pub(crate) indexes: u64,
}

impl Size {
    pub(crate) fn of(site: &Site, tables: &[&str]) -> Result<Self, Box<dyn Error>> {
        let sum = |expression: &str| {
            let each: Vec<_> = tables.iter().map(|table| expression.replace("TABLE", table)).collect();
            site.number(&format!("SELECT {}", each.join(" + ")))
        };
        Ok(Self {
            rows: sum("(SELECT count(*) FROM TABLE)")?,
            tables: sum("pg_table_size('TABLE')")?,
            indexes: sum("pg_indexes_size('TABLE')")?,
        })
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.tables + self.indexes
    }

    /// The size of a store with so many times the domains.
    pub(crate) fn times(&self, times: u64) -> Self {
        Self { rows: self.rows * times, tables: self.tables * times, indexes: self.indexes * times }
    }
}

/// Bytes in words, with three digits.
pub(crate) fn bytes(bytes: f64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut value, mut unit) = (bytes, 0);
    while value >= 1000.0 && unit + 1 < units.len() {
        (value, unit) = (value / 1024.0, unit + 1);
    }
    let digits = if value >= 100.0 || unit == 0 {
        0
    } else if value >= 10.0 {
        1
    } else {
        2
    };
    format!("{value:.digits$} {}", units[unit])
}

/// A number with separators.
pub(crate) fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
