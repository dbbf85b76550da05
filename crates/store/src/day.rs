//! Days as numbers: 20261124.

use jiff::civil::Date;

pub(crate) fn to_number(day: Date) -> i64 {
    i64::from(day.year()) * 10_000 + i64::from(day.month()) * 100 + i64::from(day.day())
}

pub(crate) fn of_number(number: i64) -> Option<Date> {
    let year = i16::try_from(number / 10_000).ok()?;
    let (month, day) = (i8::try_from(number / 100 % 100).ok()?, i8::try_from(number % 100).ok()?);
    Date::new(year, month, day).ok()
}

/// When the day begins, and when it has ended, in seconds since 1970.
pub(crate) fn seconds(day: Date) -> (i64, i64) {
    const OF_A_DAY: i64 = 24 * 60 * 60;
    let first = day.to_zoned(jiff::tz::TimeZone::UTC).map_or(0, |zoned| zoned.timestamp().as_second());
    (first, first + OF_A_DAY)
}
