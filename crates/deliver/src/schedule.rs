//! When reports are made and tried.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use tlsrpt_store::Host;

/// How long after midnight UTC the reports of a day are made: events that are still in the queue of the collector belong to it.
pub const DELAY: SignedDuration = SignedDuration::from_mins(5);
/// The first wait after a failed attempt. Each further one doubles it.
const FIRST_WAIT: SignedDuration = SignedDuration::from_mins(5);
/// The longest wait between attempts.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(4);
/// How long a report is tried, from the first attempt (RFC 8460 section 5.5).
pub const PATIENCE: SignedDuration = SignedDuration::from_hours(24);

/// When the reports of a day can be made.
#[must_use]
pub fn ready(day: Date) -> Timestamp {
    let midnight = day.tomorrow().and_then(|day| day.to_zoned(TimeZone::UTC));
    midnight.map_or(Timestamp::MAX, |midnight| later(midnight.timestamp(), DELAY))
}

/// The reports of the days before this one can be made.
#[must_use]
pub fn ready_before(now: Timestamp) -> Date {
    later(now, -DELAY).to_zoned(TimeZone::UTC).date()
}

/// The reports of the days before this one can be made from a store that hosts share: each of them has handed in what it had of
/// these days, or `grace` has passed too. Without hosts, as [`ready_before`].
#[must_use]
pub fn complete_before(now: Timestamp, grace: Duration, hosts: &[Host]) -> Date {
    let ended = ready_before(now);
    let grace = SignedDuration::try_from(grace).unwrap_or(SignedDuration::MAX);
    match hosts.iter().map(|host| host.state.complete_before).min() {
        None => ended,
        Some(complete) => ended.min(complete).max(ready_before(later(now, -grace))),
    }
}

/// When a report that is made now is due first: at random within the spread, which begins when the day is ready. A report that is late
/// is due now.
#[must_use]
pub fn first_attempt(day: Date, now: Timestamp, spread: Duration, random: f64) -> Timestamp {
    let wait = spread.mul_f64(random.clamp(0.0, 1.0));
    later(ready(day), SignedDuration::try_from(wait).unwrap_or_default()).max(now)
}

/// When a delivery is tried again, or none where it is given up: 5 minutes after the first attempt, then twice as long each time up to 4
/// hours, until a day after the first attempt. A server may ask for a longer wait.
#[must_use]
pub fn next_attempt(first: Timestamp, now: Timestamp, attempts: u32, asked: Option<Duration>) -> Option<Timestamp> {
    let doublings = attempts.saturating_sub(1).min(16);
    let wait = FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT);
    let asked = asked.and_then(|asked| SignedDuration::try_from(asked).ok()).unwrap_or_default();
    let next = later(now, wait.max(asked));
    (next <= later(first, PATIENCE)).then_some(next)
}

pub(crate) fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::{SignedDuration, Timestamp};

    use tlsrpt_store::{Host, HostState};

    use super::{complete_before, first_attempt, next_attempt, ready, ready_before};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_is_ready_a_few_minutes_after_it_has_ended() {
        assert_eq!(ready("2026-11-23".parse().unwrap()), at("2026-11-24T00:05:00Z"));
        assert_eq!(ready("2028-02-28".parse().unwrap()), at("2028-02-29T00:05:00Z"));
        assert_eq!(ready("2026-12-31".parse().unwrap()), at("2027-01-01T00:05:00Z"));
        let (not_yet, now) = ("2026-12-31".parse().unwrap(), "2027-01-01".parse().unwrap());
        assert_eq!([at("2027-01-01T00:04:59Z"), at("2027-01-01T00:05:00Z")].map(ready_before), [not_yet, now]);
    }

    #[test]
    fn first_attempts_are_spread() {
        let day = "2026-11-23".parse().unwrap();
        let (now, spread) = (at("2026-11-24T00:05:00Z"), Duration::from_secs(4 * 60 * 60));
        assert_eq!(first_attempt(day, now, spread, 0.0), now);
        assert_eq!(first_attempt(day, now, spread, 0.5), at("2026-11-24T02:05:00Z"));
        assert_eq!(first_attempt(day, now, spread, 1.0), at("2026-11-24T04:05:00Z"));
        let late = at("2026-11-25T12:00:00Z");
        assert_eq!(first_attempt(day, late, spread, 0.5), late);
    }

    #[test]
    fn attempts_go_on_for_a_day() {
        let first = at("2026-11-24T01:00:00Z");
        let mut times = Vec::new();
        let (mut now, mut attempts) = (first, 1);
        while let Some(next) = next_attempt(first, now, attempts, None) {
            times.push(next.duration_since(now).as_mins());
            now = next;
            attempts += 1;
        }
        assert_eq!(times, [5, 10, 20, 40, 80, 160, 240, 240, 240, 240]);
    }

    #[test]
    fn a_server_may_ask_for_a_longer_wait() {
        let first = at("2026-11-24T01:00:00Z");
        let next = |asked| next_attempt(first, first, 1, Some(Duration::from_secs(asked)));
        assert_eq!(next(1), Some(at("2026-11-24T01:05:00Z")));
        assert_eq!(next(7200), Some(at("2026-11-24T03:00:00Z")));
        assert_eq!(next(100_000), None);
    }

    #[test]
    fn a_day_waits_for_each_host_and_no_longer_than_the_grace() {
        let host = |complete_before: &str| Host {
            state: HostState {
                name: complete_before.into(),
                now: Timestamp::UNIX_EPOCH,
                complete_before: complete_before.parse().unwrap(),
                last_batch: None,
                spool_batches: 0,
                spool_bytes: 0,
            },
            checked_in: Timestamp::UNIX_EPOCH,
            silent_for: SignedDuration::ZERO,
            clock_difference: SignedDuration::ZERO,
        };
        let before = |now: &str, hosts: &[&str]| {
            let hosts: Vec<_> = hosts.iter().map(|complete| host(complete)).collect();
            complete_before(at(now), Duration::from_secs(30 * 60), &hosts).to_string()
        };
        // Without hosts, and with hosts that are complete: five minutes after midnight.
        for hosts in [&[][..], &["2026-11-24", "2026-11-25"]] {
            assert_eq!(before("2026-11-24T00:04:59Z", hosts), "2026-11-23");
            assert_eq!(before("2026-11-24T00:05:00Z", hosts), "2026-11-24");
        }
        let one_is_late = &["2026-11-24", "2026-11-23"];
        assert_eq!(before("2026-11-24T00:05:00Z", one_is_late), "2026-11-23");
        assert_eq!(before("2026-11-24T00:34:59Z", one_is_late), "2026-11-23");
        assert_eq!(before("2026-11-24T00:35:00Z", one_is_late), "2026-11-24");
        // One that is gone does not hold days back for longer.
        let one_is_gone = &["2026-11-24", "2026-10-01"];
        assert_eq!(before("2026-11-24T00:05:00Z", one_is_gone), "2026-11-23");
        assert_eq!(before("2026-11-24T00:35:00Z", one_is_gone), "2026-11-24");
    }
}
