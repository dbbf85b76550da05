//! Days on the command line.

use std::str::FromStr;

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::nearest::did_you_mean;

/// A UTC day: `2026-11-24`, `today` or `yesterday`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Day(pub(crate) Date);

const TODAY: &str = "today";
const YESTERDAY: &str = "yesterday";

impl FromStr for Day {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            TODAY => Ok(Self(today())),
            YESTERDAY => Ok(Self(before(today()))),
            _ => text.parse().map(Self).map_err(|_| {
                format!("write a day as 2026-11-24, {TODAY} or {YESTERDAY}{}", did_you_mean(text, [TODAY, YESTERDAY]))
            }),
        }
    }
}

/// The day in UTC that it is now.
pub(crate) fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}

/// The day before another one.
pub(crate) fn before(day: Date) -> Date {
    day.yesterday().unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::Day;

    #[test]
    fn days_by_date_and_by_name() {
        assert_eq!("2026-11-24".parse(), Ok(Day(date(2026, 11, 24))));
        let (today, yesterday): (Day, Day) = ("today".parse().unwrap(), "yesterday".parse().unwrap());
        assert!(yesterday.0 < today.0);
        let wrong = |text: &str| text.parse::<Day>().unwrap_err();
        assert_eq!(wrong("2026-02-30"), "write a day as 2026-11-24, today or yesterday");
        assert!(wrong("yestreday").ends_with("; did you mean yesterday?"));
    }
}
