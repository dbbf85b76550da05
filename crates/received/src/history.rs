//! What the kept reports say over the days: sessions and failures of each domain, and when failures begin.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date};
use tlsrpt_store::{ReceivedFailure, ReceivedSum};

/// A domain on one day, by all organizations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainDay {
    /// The day.
    pub day: Date,
    /// The policy domain.
    pub domain: String,
    /// Sessions that met their policy.
    pub succeeded: u64,
    /// Sessions that did not.
    pub failed: u64,
    /// Who reported it, by name.
    pub organizations: Vec<String>,
    /// Failed sessions by result type.
    pub failures: BTreeMap<String, u64>,
    /// When the last of the reports arrived.
    pub arrived: Timestamp,
}

/// Failures of one result type that an organization reports day after day, up to its last report about the domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The policy domain.
    pub domain: String,
    /// The organization.
    pub organization: String,
    /// The result type.
    pub result_type: String,
    /// The first day.
    pub since: Date,
    /// The last day.
    pub last: Date,
    /// Failed sessions since then.
    pub sessions: u64,
}

/// When failures deserve an alert.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AlertLimits {
    /// The fewest failed sessions of a day.
    pub count: u64,
    /// The least part of the sessions of a day that failed, in percent.
    pub rate: f64,
}

/// Failures of a domain that have begun or risen.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// The day with its failures.
    pub day: DomainDay,
    /// The part of the sessions that failed on the days before, in percent. None if there are no reports about them.
    pub before: Option<f64>,
}

/// How many earlier days with reports an alert compares with.
const COMPARED: usize = 7;
/// How many times more sessions fail if failures rise.
const RISE: f64 = 2.0;

/// The days of each domain, the newest first.
#[must_use]
pub fn days(sums: &[ReceivedSum], failures: &[ReceivedFailure]) -> Vec<DomainDay> {
    let mut days: BTreeMap<(std::cmp::Reverse<Date>, &str), DomainDay> = BTreeMap::new();
    for sum in sums {
        let day = days.entry((std::cmp::Reverse(sum.day), &sum.domain)).or_insert_with(|| DomainDay {
            day: sum.day,
            domain: sum.domain.clone(),
            succeeded: 0,
            failed: 0,
            organizations: Vec::new(),
            failures: BTreeMap::new(),
            arrived: sum.arrived,
        });
        day.succeeded = day.succeeded.saturating_add(sum.succeeded);
        day.failed = day.failed.saturating_add(sum.failed);
        day.organizations.push(sum.organization.clone());
        day.arrived = day.arrived.max(sum.arrived);
    }
    for failure in failures {
        if let Some(day) = days.get_mut(&(std::cmp::Reverse(failure.day), failure.domain.as_str())) {
            let sessions = day.failures.entry(failure.result_type.clone()).or_default();
            *sessions = sessions.saturating_add(failure.sessions);
        }
    }
    days.into_values().collect()
}

/// The failures that last: each run ends with the last report of its organization about the domain.
#[must_use]
pub fn runs(sums: &[ReceivedSum], failures: &[ReceivedFailure]) -> Vec<Run> {
    let mut reported: BTreeMap<(&str, &str), BTreeSet<Date>> = BTreeMap::new();
    for sum in sums {
        reported.entry((&sum.domain, &sum.organization)).or_default().insert(sum.day);
    }
    let mut failed: BTreeMap<(&str, &str, &str), BTreeMap<Date, u64>> = BTreeMap::new();
    for failure in failures.iter().filter(|failure| failure.sessions > 0) {
        let key = (failure.domain.as_str(), failure.organization.as_str(), failure.result_type.as_str());
        failed.entry(key).or_default().insert(failure.day, failure.sessions);
    }
    let run = |((domain, organization, result_type), sessions): ((&str, &str, &str), BTreeMap<Date, u64>)| {
        let reported = reported.get(&(domain, organization))?;
        let days: Vec<_> = reported.iter().rev().map_while(|day| Some((*day, *sessions.get(day)?))).collect();
        Some(Run {
            domain: domain.into(),
            organization: organization.into(),
            result_type: result_type.into(),
            since: days.last()?.0,
            last: days.first()?.0,
            sessions: days.iter().fold(0, |sum, (_, sessions)| sum.saturating_add(*sessions)),
        })
    };
    let mut runs: Vec<_> = failed.into_iter().filter_map(run).collect();
    runs.sort_by(|one, other| (&one.domain, one.since).cmp(&(&other.domain, other.since)));
    runs
}

/// The failures that begin or rise on a day about which a report arrived since `since`; the most failed sessions first.
#[must_use]
pub fn alerts(days: &[DomainDay], since: Timestamp, limits: AlertLimits) -> Vec<Alert> {
    let is_new = |day: &&DomainDay| day.arrived >= since;
    let mut alerts: Vec<_> = days.iter().filter(is_new).filter_map(|day| alert(day, days, limits)).collect();
    alerts.sort_by_key(|alert| std::cmp::Reverse((alert.day.failed, alert.day.day)));
    alerts
}

fn alert(day: &DomainDay, days: &[DomainDay], limits: AlertLimits) -> Option<Alert> {
    let now = rate(day.succeeded, day.failed)?;
    if day.failed < limits.count.max(1) || now < limits.rate {
        return None;
    }
    let earlier = days.iter().filter(|earlier| earlier.domain == day.domain && earlier.day < day.day).take(COMPARED);
    let (succeeded, failed) = earlier.fold((0_u64, 0_u64), |(succeeded, failed), earlier| {
        (succeeded.saturating_add(earlier.succeeded), failed.saturating_add(earlier.failed))
    });
    let before = rate(succeeded, failed);
    let rises = before.is_none_or(|before| now > before * RISE);
    rises.then(|| Alert { day: day.clone(), before })
}

/// The part that failed, in percent.
#[expect(clippy::cast_precision_loss, reason = "a percentage for people")]
#[must_use]
pub fn rate(succeeded: u64, failed: u64) -> Option<f64> {
    let all = succeeded as f64 + failed as f64;
    (all > 0.0).then(|| failed as f64 / all * 100.0)
}

#[cfg(test)]
mod tests {
    use jiff::{Timestamp, civil::date};
    use tlsrpt_store::{ReceivedFailure, ReceivedSum};

    use super::{AlertLimits, alerts, days, runs};

    fn sum(day: i8, organization: &str, succeeded: u64, failed: u64) -> ReceivedSum {
        let arrived = Timestamp::from_second(i64::from(day)).unwrap();
        let (domain, organization) = ("a.example".into(), organization.into());
        ReceivedSum { day: date(2026, 11, day), domain, organization, succeeded, failed, arrived }
    }

    fn failure(day: i8, organization: &str, result_type: &str, sessions: u64) -> ReceivedFailure {
        let (domain, organization, result_type) = ("a.example".into(), organization.into(), result_type.into());
        ReceivedFailure { day: date(2026, 11, day), domain, organization, result_type, sessions }
    }

    #[test]
    fn days_add_up_what_organizations_report() {
        let sums = [sum(2, "x", 5, 1), sum(2, "y", 7, 2), sum(1, "x", 1, 0)];
        let failures = [failure(2, "x", "tlsa-invalid", 1), failure(2, "y", "tlsa-invalid", 2)];
        let found = days(&sums, &failures);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].day, found[0].succeeded, found[0].failed), (date(2026, 11, 2), 12, 3));
        assert_eq!((found[0].organizations.len(), found[0].failures["tlsa-invalid"]), (2, 3));
    }

    #[test]
    fn a_run_begins_after_the_last_day_without_the_failure() {
        let sums = [1, 2, 4, 6].map(|day| sum(day, "x", 1, 1));
        let all = [
            failure(1, "x", "tlsa-invalid", 1),
            failure(4, "x", "tlsa-invalid", 2),
            failure(6, "x", "tlsa-invalid", 3),
            failure(2, "x", "certificate-expired", 9),
            failure(6, "x", "dane-required", 0),
        ];
        let found = runs(&sums, &all);
        assert_eq!(found.len(), 1, "{found:?}");
        let run = &found[0];
        assert_eq!((run.since, run.last, run.sessions), (date(2026, 11, 4), date(2026, 11, 6), 5));
        assert_eq!((run.result_type.as_str(), run.organization.as_str()), ("tlsa-invalid", "x"));
    }

    #[test]
    fn an_alert_is_for_failures_that_begin_or_rise() {
        let limits = AlertLimits { count: 2, rate: 1.0 };
        let since = Timestamp::from_second(3).unwrap();
        let told = |sums: &[ReceivedSum]| alerts(&days(sums, &[]), since, limits).len();
        assert_eq!(told(&[sum(3, "x", 98, 2), sum(2, "x", 100, 0)]), 1, "they begin");
        assert_eq!(told(&[sum(3, "x", 98, 2)]), 1, "the first report");
        assert_eq!(told(&[sum(3, "x", 99, 1), sum(2, "x", 100, 0)]), 0, "fewer than the count");
        assert_eq!(told(&[sum(3, "x", 998, 2), sum(2, "x", 100, 0)]), 0, "less than the rate");
        assert_eq!(told(&[sum(3, "x", 90, 10), sum(2, "x", 95, 5)]), 0, "no more than twice as many");
        assert_eq!(told(&[sum(3, "x", 89, 11), sum(2, "x", 95, 5)]), 1, "they rise");
        assert_eq!(told(&[sum(2, "x", 0, 100)]), 0, "it arrived before");
        assert_eq!(told(&[sum(3, "x", 0, 0)]), 0, "no sessions");
    }
}
