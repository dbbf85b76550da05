//! The time at which a datagram arrived, and the UTC day that follows from it.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// Seconds of a day in UTC. System clocks have no leap seconds.
const DAY: i64 = 24 * 60 * 60;

/// Seconds since 1970. A time before 1970 is a wrong clock and gives 0.
pub(crate) fn seconds(at: SystemTime) -> i64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// Seconds since 1970 now.
pub(crate) fn now() -> i64 {
    seconds(SystemTime::now())
}

/// The number of the UTC day since 1970.
pub(crate) fn day_number(seconds: i64) -> i64 {
    seconds / DAY
}

/// The time as a timestamp, at most the end of the year 9999.
pub(crate) fn timestamp(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
}

/// The UTC day with this number.
pub(crate) fn date(day_number: i64) -> Date {
    timestamp(day_number.saturating_mul(DAY)).to_zoned(TimeZone::UTC).date()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use super::{date, day_number, seconds};

    fn day(at: SystemTime) -> String {
        date(day_number(seconds(at))).to_string()
    }

    #[test]
    fn days_begin_at_midnight_utc_in_leap_years_too() {
        let after = |seconds| day(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(after(0), "1970-01-01");
        assert_eq!((&*after(1_835_395_199), &*after(1_835_395_200)), ("2028-02-28", "2028-02-29"));
        assert_eq!((&*after(1_835_481_599), &*after(1_835_481_600)), ("2028-02-29", "2028-03-01"));
        assert_eq!((&*after(1_798_761_599), &*after(1_798_761_600)), ("2026-12-31", "2027-01-01"));
    }

    #[test]
    fn clocks_that_are_far_off_give_a_day() {
        assert_eq!(day(UNIX_EPOCH - Duration::from_secs(86_400 * 365)), "1970-01-01");
        assert_eq!(day(UNIX_EPOCH + Duration::from_secs(1 << 40)), "9999-12-30");
    }
}
