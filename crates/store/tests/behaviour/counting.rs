//! Counting in the store, with each engine.

use tlsrpt_store::{Added, Batch, KeptDays, Limits, OTHER_DOMAINS, Purged, Timestamp};

use super::batches::{BAD, DAY, GOOD, batch, day, event, sums};
use crate::place::Place;

#[test]
fn sessions_and_failures_are_counted_by_day_domain_record_and_policy() {
    let place = Place::new();
    let mut store = place.open();
    let sts = r#""policy-type":2,"policy-domain":"a.example","policy-string":["version: STSv1"],"mx-host":["*.a"],"t":0,"f":0"#;
    let same =
        r#""mx-host":["*.a"],"f":0,"policy-string":["version: STSv1"],"policy-domain":"A.example.","policy-type":2"#;
    let twice =
        r#""policy-type":9,"failure-details":[{"c":204,"s":"192.0.2.1"},{"c":204,"s":"192.0.2.1"},{"c":201}],"f":1"#;
    let events = [
        (event("a.example", "r", &[GOOD]), 2),
        (event("A.Example.", "r", &[sts]), 3),
        (event("a.example", "r", &[same, BAD]), 5),
        (event("a.example", "other", &[GOOD]), 7),
        (event("b.example", "r", &[twice]), 11),
    ];
    assert_eq!(store.add(&batch(1, DAY, &events)), Ok(Added::default()));
    assert_eq!(store.add(&batch(2, "2026-11-25", &events[..1])), Ok(Added::default()));
    assert_eq!(store.add(&batch(3, DAY, &events[..1])), Ok(Added::default()));

    let mut reader = place.reader();
    let days = reader.days().unwrap();
    assert_eq!(days.iter().map(|day| day.day).collect::<Vec<_>>(), [day("2026-11-25"), day(DAY)]);
    let counts = &days[1];
    assert_eq!((counts.events, counts.failed, counts.domains), (30, 16, 2));
    assert_eq!((counts.policies, counts.failures, counts.invalid, counts.dropped), (4, 3, 0, 0));
    let names = |found: Vec<tlsrpt_store::DomainCounts>| {
        found.into_iter().map(|domain| (domain.domain, domain.events, domain.failed)).collect::<Vec<_>>()
    };
    let (a, b) = (("a.example".to_string(), 19, 5), ("b.example".to_string(), 11, 11));
    assert_eq!(names(reader.domains(day(DAY), "", 10).unwrap()), [a.clone(), b.clone()]);
    assert_eq!(names(reader.domains(day(DAY), "a.example", 10).unwrap()), std::slice::from_ref(&b));
    assert_eq!(names(reader.domains(day(DAY), "", 1).unwrap()), std::slice::from_ref(&a));
    assert_eq!(names(reader.most_failed(day(DAY), 10).unwrap()), [b, a]);

    let policies = reader.policies(day(DAY), "A.EXAMPLE.").unwrap();
    let records: Vec<_> = policies.iter().map(|policy| &*policy.record).collect();
    assert_eq!(records, ["r", "r", "other"]);
    assert_eq!(sums(&policies), [(4, 5), (8, 0), (7, 0)]);
    assert_eq!(policies[0].failures.iter().map(|failure| failure.times).collect::<Vec<_>>(), [5]);
    assert_eq!(policies[1].policy.as_ref().unwrap().policy_type(), Ok("sts"));
    assert_eq!(policies[1].policy.as_ref().unwrap().mx_host, Some(vec!["*.a".into()]));
    let failures = &reader.policies(day(DAY), "b.example").unwrap()[0].failures;
    let found: Vec<_> = failures
        .iter()
        .map(|counted| (counted.failure.as_ref().unwrap(), counted.times))
        .map(|(failure, times)| {
            (
                failure.result_type().unwrap(),
                failure.details.get(tlsrpt_format::datagram::FailureMember::SendingMtaIp),
                times,
            )
        })
        .collect();
    assert_eq!(found, [("certificate-expired", Some("192.0.2.1"), 22), ("starttls-not-supported", None, 11)]);
    assert_eq!(reader.last_event().unwrap(), Some(Timestamp::from_second(1_795_262_400).unwrap()));
    assert!(reader.policies(day(DAY), "c.example").unwrap().is_empty());
    assert_eq!(place.reader().check().unwrap(), [""; 0]);
}

#[test]
fn invalid_and_dropped_datagrams_are_counted_by_day() {
    let place = Place::new();
    let mut store = place.open();
    for number in 1..=2 {
        let invalid = vec![("not-json", 3), ("too-deep", 4)];
        store.add(&Batch { invalid, dropped: 5, ..batch(number, DAY, &[]) }).unwrap();
    }
    let counts = &place.reader().days().unwrap()[0];
    assert_eq!((counts.events, counts.invalid, counts.dropped, counts.last_event), (0, 14, 10, None));
    let by_reason = place.reader().invalid(day(DAY)).unwrap();
    let found: Vec<_> = by_reason.iter().map(|counts| (&*counts.reason, counts.datagrams)).collect();
    assert_eq!(found, [("too-deep", 8), ("not-json", 6)]);
}

#[test]
fn a_batch_that_is_added_again_changes_nothing() {
    let place = Place::new();
    let first = batch(1, DAY, &[(event("a.example", "r", &[GOOD]), 1)]);
    let mut store = place.open();
    assert!(!store.add(&first).unwrap().before);
    assert!(store.add(&first).unwrap().before);
    drop(store);
    let mut store = place.open();
    assert!(store.add(&first).unwrap().before);
    assert_eq!(place.reader().days().unwrap()[0].events, 1);
    let mut of_another = first;
    of_another.id.writer = "another".into();
    assert!(!store.add(&of_another).unwrap().before);
    assert_eq!(place.reader().days().unwrap()[0].events, 2);
}

#[test]
fn everything_over_a_limit_is_counted_in_one_row() {
    let place = Place::new();
    let mut store = place.open_with(Limits { domains: 2, policies: 3, failures: 1, ..Limits::default() });
    let failing = |reason: &str| format!(r#""policy-type":9,"failure-details":[{{"c":204,"f":"{reason}"}}],"f":1"#);
    let (one, two) = (failing("one"), failing("two"));
    let first = [
        (event("a.example", "r", &[GOOD]), 1),
        (event("b.example", "r", &[&one]), 2),
        (event("c.example", "r", &[&one]), 4),
        (event("d.example", "r", &[GOOD]), 8),
        (event("a.example", "s", &[&two]), 16),
        (event("a.example", "t", &[&two]), 32),
    ];
    let added = store.add(&batch(1, DAY, &first)).unwrap();
    assert_eq!((added.beyond_domains, added.beyond_policies, added.beyond_failures), (12, 32, 16));
    // Domains, policies and failures with a row are counted there in later batches too.
    let added = store.add(&batch(2, DAY, &first)).unwrap();
    assert_eq!((added.beyond_domains, added.beyond_policies, added.beyond_failures), (12, 32, 16));
    let counts = &place.reader().days().unwrap()[0];
    assert_eq!((counts.events, counts.failed), (126, 108));
    assert_eq!((counts.domains, counts.policies, counts.failures), (2, 3, 1));
    let others = place.reader().policies(day(DAY), OTHER_DOMAINS).unwrap();
    assert_eq!((sums(&others), &others[0].policy), (vec![(16, 8)], &None));
    assert_eq!(others[0].failures.iter().map(|counts| counts.times).collect::<Vec<_>>(), [8]);
    let policies = place.reader().policies(day(DAY), "a.example").unwrap();
    assert_eq!(sums(&policies), [(0, 64), (2, 0), (0, 32)]);
    assert!(policies[0].policy.is_none() && policies[0].failures[0].failure.is_none());
    assert!(policies[2].failures[0].failure.is_none());
    // The limits apply to each day separately.
    let added = store.add(&batch(3, "2026-11-25", &first[..2])).unwrap();
    assert_eq!(added, Added::default());
    assert_eq!(place.reader().check().unwrap(), [""; 0]);
}

#[test]
fn purging_removes_old_days_and_texts_that_only_they_refer_to() {
    let place = Place::new();
    let mut store = place.open();
    let old = [(event("old.example", "old", &[BAD]), 1), (event("a.example", "r", &[GOOD]), 1)];
    store.add(&batch(1, "2026-10-01", &old)).unwrap();
    store.add(&batch(2, "2026-10-02", &old)).unwrap();
    store.add(&batch(3, DAY, &old[1..])).unwrap();
    let kept = KeptDays { first: day("2026-10-03"), today: day("2026-11-25") };
    let far_ahead = KeptDays { first: day("2028-10-03"), today: day("2028-11-25") };
    // The days of a clock that jumps ahead, and the first day on which there are events.
    for implausible in [far_ahead, KeptDays { today: day(DAY), ..kept }] {
        assert_eq!(store.purge(implausible), Ok(Purged::default()), "{implausible:?}");
    }
    assert_eq!(store.purge(kept), Ok(Purged { days: 2, unreported: 4, waiting: 0 }));
    assert_eq!(store.purge(kept), Ok(Purged::default()));
    let days: Vec<_> = place.reader().days().unwrap().into_iter().map(|counts| counts.day).collect();
    assert_eq!(days, [day(DAY)]);
    assert_eq!(sums(&place.reader().policies(day(DAY), "a.example").unwrap()), [(1, 0)]);
    assert_eq!(place.reader().check().unwrap(), [""; 0]);
    for (table, rows) in [("domain", 2), ("record", 2), ("policy", 2), ("failure", 1), ("failures", 0)] {
        let found = place.number(&format!("SELECT count(*) FROM {table}"));
        assert_eq!(found, rows, "{table}");
    }
}

#[test]
fn several_may_create_it_at_once() {
    let place = Place::new();
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    drop(place.open());
                    place.reader().days().unwrap().len()
                })
            })
            .collect();
        for one in all {
            assert_eq!(one.join().unwrap(), 0);
        }
    });
}
