//! The messages about limits of a day, and of the size of the store, that are reached.

use bytesize::ByteSize;
use jiff::civil::Date;
use tlsrpt_service::{Level, Log};
use tlsrpt_store::{Added, Limits};

/// The number of limits.
const LIMITS: usize = 4;

/// Writes a message, once for each limit and day, that the limit is reached.
#[derive(Debug)]
pub(crate) struct Beyond {
    limits: Limits,
    log: Log,
    /// For each limit, the last day for which a message said that it is reached.
    last: [Option<Date>; LIMITS],
}

impl Beyond {
    pub(crate) fn new(limits: Limits, log: Log) -> Self {
        Self { limits, log, last: [None; LIMITS] }
    }

    /// Takes the result of adding a batch.
    pub(crate) fn say(&mut self, day: Date, added: Added) {
        let Added { is_full, beyond_domains, beyond_policies, beyond_failures, .. } = added;
        let limits = self.limits;
        let all: [_; LIMITS] = [
            (!is_full && beyond_domains > 0, "max-domains", limits.domains.to_string()),
            (!is_full && beyond_policies > 0, "max-policies", limits.policies.to_string()),
            (!is_full && beyond_failures > 0, "max-failures", limits.failures.to_string()),
            (
                is_full && beyond_domains + beyond_policies + beyond_failures > 0,
                "max-size",
                ByteSize(limits.size).to_string(),
            ),
        ];
        for (last, (is_beyond, key, limit)) in self.last.iter_mut().zip(all) {
            if !is_beyond || *last == Some(day) {
                continue;
            }
            *last = Some(day);
            self.log.say(
                Level::Warning,
                format_args!(
                    "{day} has reached {key} = {limit}: entries beyond it are counted in one row, without details"
                ),
            );
        }
    }
}
