//! Domains whose sessions have begun to fail, with each engine.

use jiff::SignedDuration;
use tlsrpt_format::datagram;
use tlsrpt_store::{Alert, Batch, BatchId, CountedEvent, Date, DomainCounts, Timestamp, WatchedDomain};

use super::reporting::{NOW, day};
use crate::place::Place;

const RETRY: SignedDuration = SignedDuration::from_mins(10);

/// Events of a day: each domain, how often it succeeded, and how often it failed.
fn add(place: &Place, number: u64, day: Date, counts: &[(&str, u64, u64)]) {
    let mut events = Vec::new();
    for (domain, succeeded, failed) in counts {
        for (is_failed, times) in [(0, *succeeded), (1, *failed)] {
            let text =
                format!(r#"{{"d":"{domain}","pr":"v=TLSRPTv1","policies":[{{"policy-type":9,"f":{is_failed}}}]}}"#);
            if times > 0 {
                events.push(CountedEvent { event: datagram::parse(text.as_bytes()).unwrap(), times });
            }
        }
    }
    let id = BatchId { writer: "test".into(), number };
    place.open().add(&Batch { id, day, last_event: None, events, invalid: vec![], dropped: 0 }).unwrap();
}

fn counts(domain: &str, events: u64, failed: u64) -> DomainCounts {
    DomainCounts { domain: domain.into(), events, failed }
}

fn alert(domain: &str) -> Alert {
    Alert {
        domain: domain.into(),
        begun: NOW,
        events: 9,
        failed: 8,
        reasons: "starttls-not-supported: 8".into(),
        told: None,
        problem: String::new(),
    }
}

#[test]
fn watched_domains_have_failed_events_or_an_alert() {
    let place = Place::new();
    let mut store = place.reports();
    add(&place, 1, day(), &[("a.example", 5, 1), ("b.example", 1, 3), ("c.example", 4, 0), ("d.example", 1, 0)]);
    assert!(store.begin_alert(&alert("d.example")).unwrap());
    store.keep_judged(day(), &[counts("b.example", 2, 1)]).unwrap();
    let watched = |now, judged, is_alert| WatchedDomain { now, judged, is_alert };
    let all = [
        watched(counts("b.example", 4, 3), (2, 1), false),
        watched(counts("a.example", 6, 1), (0, 0), false),
        watched(counts("d.example", 1, 0), (0, 0), true),
    ];
    assert_eq!(store.watched(day(), 10).unwrap(), all);
    assert_eq!(store.watched(day(), 1).unwrap(), all[..1]);
    assert_eq!(store.watched(day().tomorrow().unwrap(), 10).unwrap(), []);

    // The counts of another day are forgotten, and those of one domain replaced.
    let next = day().tomorrow().unwrap();
    add(&place, 2, next, &[("b.example", 0, 1)]);
    store.keep_judged(next, &[counts("a.example", 1, 1)]).unwrap();
    assert_eq!(store.watched(next, 10).unwrap(), [watched(counts("b.example", 1, 1), (0, 0), false)]);
    store.keep_judged(next, &[counts("b.example", 1, 1)]).unwrap();
    assert_eq!(store.watched(next, 10).unwrap(), [watched(counts("b.example", 1, 1), (1, 1), false)]);
    assert!(store.watched(day(), 10).unwrap().iter().all(|domain| domain.judged == (0, 0)));
}

#[test]
fn sessions_that_succeeded_are_found_within_the_days() {
    let place = Place::new();
    let mut store = place.reports();
    let next = day().tomorrow().unwrap();
    add(&place, 1, day(), &[("a.example", 1, 7), ("b.example", 0, 7)]);
    assert!(store.has_succeeded("a.example", day(), next).unwrap());
    assert!(!store.has_succeeded("b.example", day(), next).unwrap());
    assert!(!store.has_succeeded("c.example", day(), next).unwrap());
    assert!(!store.has_succeeded("a.example", day(), day()).unwrap());
    assert!(!store.has_succeeded("a.example", next, next.tomorrow().unwrap()).unwrap());
}

#[test]
fn an_alert_is_begun_once_and_told_once() {
    let place = Place::new();
    let (mut one, mut other) = (place.reports(), place.reports());
    assert!(one.begin_alert(&alert("a.example")).unwrap());
    assert!(!other.begin_alert(&Alert { failed: 1, ..alert("a.example") }).unwrap());
    assert_eq!(other.alerts().unwrap(), [alert("a.example")]);

    assert_eq!(one.take_untold(NOW, RETRY).unwrap(), Some(alert("a.example")));
    assert_eq!(other.take_untold(NOW, RETRY).unwrap(), None);
    // An attempt that failed, or of which nothing was heard, is repeated.
    let later = NOW + RETRY;
    one.keep_told("a.example", Err("no such program")).unwrap();
    let failed = Alert { problem: "no such program".into(), ..alert("a.example") };
    assert_eq!(other.take_untold(later, RETRY).unwrap(), Some(failed));
    other.keep_told("a.example", Ok(later)).unwrap();
    assert_eq!(one.take_untold(later + RETRY, RETRY).unwrap(), None);
    assert_eq!(one.alerts().unwrap(), [Alert { told: Some(later), ..alert("a.example") }]);

    assert!(other.end_alert("a.example").unwrap());
    assert!(!one.end_alert("a.example").unwrap());
    assert!(one.begin_alert(&alert("a.example")).unwrap());
    assert_eq!(one.take_untold(NOW, RETRY).unwrap(), Some(alert("a.example")));
    assert_eq!(one.take_untold(Timestamp::MAX, RETRY).unwrap(), Some(alert("a.example")));
}
