//! The range of a report.

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};

use super::{members::Member, reader::Reader};
use crate::Rule;

/// A day.
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// How far a range may be from a day to count as one: the last second is left out.
const ONE_SECOND: SignedDuration = SignedDuration::from_secs(1);

impl Reader {
    pub(super) fn range(&mut self, range: &Member<'_>) -> (Option<Timestamp>, Option<Timestamp>) {
        if !range.is_object() {
            let rule = if range.value.is_some() { Rule::NotAnObject } else { Rule::Missing };
            self.departures.note(rule, &range.place);
            return (None, None);
        }
        let (begin, end) = (range.of("start-datetime"), range.of("end-datetime"));
        let times = (self.time(&begin), self.time(&end));
        if let (Some(first), Some(last)) = times {
            self.check_range(first, last, range, &end);
        }
        times
    }

    fn check_range(&mut self, first: Timestamp, last: Timestamp, range: &Member<'_>, end: &Member<'_>) {
        let length = last.duration_since(first);
        let is_midnight = |at: Timestamp| at.as_second().rem_euclid(DAY.as_secs()) == 0;
        if !is_midnight(first) || length < DAY - ONE_SECOND || length > DAY {
            self.departures.note(Rule::Range, &range.place);
        } else if length == DAY {
            self.departures.note(Rule::Midnight, &end.place);
        }
    }

    fn time(&mut self, member: &Member<'_>) -> Option<Timestamp> {
        let text = self.text(member, Rule::Missing)?;
        if let Ok(time) = text.parse::<Timestamp>() {
            return Some(time);
        }
        let local =
            text.parse::<DateTime>().ok().or_else(|| Some(text.parse::<Date>().ok()?.to_datetime(Default::default())));
        let time = local.and_then(|local| local.to_zoned(TimeZone::UTC).ok()).map(|zoned| zoned.timestamp());
        let rule = if time.is_some() { Rule::NoOffset } else { Rule::Time };
        self.departures.note_value(rule, &member.place, &text);
        time
    }
}
