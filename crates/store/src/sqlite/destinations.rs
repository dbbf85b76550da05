//! How many reports each destination got in an hour, by the one reporter.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
};

use jiff::Timestamp;
use rusqlite::{Connection, params};

use crate::file::count;

/// The counts of the current hour. A few bytes a destination: there may be hundreds of thousands.
#[derive(Debug, Default)]
pub(super) struct PerDestination {
    hour: Timestamp,
    counts: HashMap<u64, u64>,
    state: RandomState,
}

impl PerDestination {
    /// How many it got before this one, which is counted.
    pub(super) fn count(
        &mut self,
        destination: &str,
        hour: Timestamp,
        connection: &Connection,
    ) -> rusqlite::Result<u64> {
        if self.hour != hour {
            self.hour = hour;
            self.counts = HashMap::new();
        }
        let key = self.state.hash_one(destination);
        let before = match self.counts.get(&key) {
            Some(before) => *before,
            // Those of an earlier process.
            None => {
                let mut attempts = connection
                    .prepare_cached("SELECT count(*) FROM delivery WHERE destination = ?1 AND last_attempt >= ?2")?;
                attempts.query_row(params![destination, hour.as_second()], |row| count(row, 0))?
            }
        };
        self.counts.insert(key, before + 1);
        Ok(before)
    }
}
