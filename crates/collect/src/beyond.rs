//! The messages about limits of a day that are reached.

use jiff::civil::Date;
use tlsrpt_service::{Level, Log};
use tlsrpt_store::{Added, Limits};

/// The number of limits of a day.
const LIMITS: usize = 3;

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
        let limits = self.limits;
        let all: [_; LIMITS] = [
            (added.beyond_domains, "max-domains", limits.domains),
            (added.beyond_policies, "max-policies", limits.policies),
            (added.beyond_failures, "max-failures", limits.failures),
        ];
        for (last, (beyond, key, limit)) in self.last.iter_mut().zip(all) {
            if beyond == 0 || *last == Some(day) {
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
