//! The reports that others sent, with each engine.

use tlsrpt_store::{Date, Kept, NewReceived, ReceivedCounts, ReceivedFilter, ReceivedLimits, ReceivedStore, Timestamp};

use crate::place::Place;

const NO_LIMITS: ReceivedLimits = ReceivedLimits { reports: u64::MAX, bytes: u64::MAX };

fn day(number: i8) -> Date {
    Date::new(2026, 11, number).unwrap()
}

fn counts(domain: &str, succeeded: u64, failures: &[(&str, u64)]) -> ReceivedCounts {
    ReceivedCounts {
        domain: domain.into(),
        succeeded,
        failed: failures.iter().map(|(_, sessions)| sessions).sum(),
        failures: failures.iter().map(|(name, sessions)| ((*name).to_owned(), *sessions)).collect(),
    }
}

fn report(id: &str, number: i8, json: &str) -> NewReceived {
    NewReceived {
        organization: "Sender Inc.".into(),
        report_id: id.into(),
        day: day(number),
        arrived: Timestamp::from_second(i64::from(number)).unwrap(),
        signature: "signed by sender.example".into(),
        json: json.into(),
        counts: vec![counts("a.example", 5, &[("tlsa-invalid", 2)]), counts("b.example", 1, &[])],
    }
}

fn keep(store: &mut dyn ReceivedStore, report: &NewReceived) -> Kept {
    store.keep_received(report, NO_LIMITS).unwrap()
}

#[test]
fn a_report_is_kept_once_and_another_with_its_id_beside_it() {
    let place = Place::new();
    let mut store = place.received();
    assert_eq!(keep(store.as_mut(), &report("1", 1, "{}")), Kept::New);
    assert_eq!(keep(store.as_mut(), &report("1", 2, "{}")), Kept::Again);
    assert_eq!(keep(store.as_mut(), &report("1", 1, "{ }")), Kept::Beside);
    assert_eq!(keep(store.as_mut(), &report("1", 1, "{ }")), Kept::Again);
    assert_eq!(keep(store.as_mut(), &report("2", 1, "{}")), Kept::New);
    // The organization and the id are a pair, wherever one ends and the other begins.
    let other = NewReceived { organization: "Sender Inc.1".into(), ..report("", 1, "{}") };
    assert_eq!(keep(store.as_mut(), &other), Kept::New);
    let found = store.received("Sender Inc.", "1").unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!((found[0].day, found[0].signature.as_str()), (day(1), "signed by sender.example"));
    assert_eq!(found[0].compressed[..2], [0x1f, 0x8b]);
    assert_eq!(store.received("Sender Inc.", "3"), Ok(vec![]));
}

#[test]
fn the_limits_are_not_passed() {
    let place = Place::new();
    let mut store = place.received();
    let two = ReceivedLimits { reports: 2, ..NO_LIMITS };
    assert_eq!(store.keep_received(&report("1", 1, "{}"), two), Ok(Kept::New));
    assert_eq!(store.keep_received(&report("2", 1, "{}"), two), Ok(Kept::New));
    assert_eq!(store.keep_received(&report("3", 1, "{}"), two), Ok(Kept::Full));
    assert_eq!(store.keep_received(&report("2", 1, "{}"), two), Ok(Kept::Again));
    let bytes = ReceivedLimits { bytes: 7, ..NO_LIMITS };
    assert_eq!(store.keep_received(&report("4", 1, "{  }"), bytes), Ok(Kept::Full));
    assert_eq!(store.keep_received(&report("4", 1, "{ }"), bytes), Ok(Kept::New));
}

#[test]
fn counts_by_day_domain_and_organization() {
    let place = Place::new();
    let mut store = place.received();
    keep(store.as_mut(), &report("1", 1, "{}"));
    keep(store.as_mut(), &report("2", 2, "{}"));
    keep(store.as_mut(), &report("3", 2, "{}"));
    let all = ReceivedFilter { domain: None, first: day(1), last: day(2) };
    let sums = store.received_sums(&all, 10).unwrap();
    let seen: Vec<_> = sums.iter().map(|sum| (sum.day, sum.domain.as_str(), sum.succeeded, sum.failed)).collect();
    assert_eq!(
        seen,
        [
            (day(2), "a.example", 10, 4),
            (day(2), "b.example", 2, 0),
            (day(1), "a.example", 5, 2),
            (day(1), "b.example", 1, 0)
        ]
    );
    assert_eq!(sums[0].arrived, Timestamp::from_second(2).unwrap());
    assert_eq!(store.received_sums(&all, 1).unwrap(), sums[..1]);
    let one = ReceivedFilter { domain: Some("b.example".into()), first: day(2), last: day(9) };
    assert_eq!(store.received_sums(&one, 10).unwrap(), sums[1..2]);
    assert_eq!(store.received_failures(&one, 10), Ok(vec![]));
    let failures = store.received_failures(&all, 10).unwrap();
    let seen: Vec<_> = failures.iter().map(|found| (found.day, found.result_type.as_str(), found.sessions)).collect();
    assert_eq!(seen, [(day(2), "tlsa-invalid", 4), (day(1), "tlsa-invalid", 2)]);
    let ids = store.received_ids(&all, 10).unwrap();
    let ids: Vec<_> = ids.iter().map(|(_, id)| id.as_str()).collect();
    assert_eq!(ids, ["2", "3", "1"]);
}

#[test]
fn numbers_that_overflow_stay_large() {
    let place = Place::new();
    let mut store = place.received();
    for id in ["1", "2"] {
        let counts = vec![counts("a.example", u64::MAX, &[("tlsa-invalid", u64::MAX)])];
        keep(store.as_mut(), &NewReceived { counts, ..report(id, 1, "{}") });
    }
    let all = ReceivedFilter { domain: None, first: day(1), last: day(1) };
    let sums = store.received_sums(&all, 10).unwrap();
    assert!(sums[0].succeeded >= 9_000_000_000_000_000_000 && sums[0].failed >= 9_000_000_000_000_000_000, "{sums:?}");
    assert_eq!(store.received_failures(&all, 10).unwrap().len(), 1);
}

#[test]
fn old_reports_are_removed_unless_the_clock_seems_wrong() {
    let place = Place::new();
    let mut store = place.received();
    keep(store.as_mut(), &report("1", 1, "{}"));
    keep(store.as_mut(), &report("2", 2, "{}"));
    let at = |second| Timestamp::from_second(second).unwrap();
    assert_eq!(store.purge_received(at(3)), Ok(0));
    assert_eq!(store.purge_received(at(2)), Ok(1));
    assert_eq!(
        (store.received("Sender Inc.", "1").unwrap().len(), store.received("Sender Inc.", "2").unwrap().len()),
        (0, 1)
    );
    assert_eq!(place.number("SELECT count(*) FROM received_failure"), 1);
}
