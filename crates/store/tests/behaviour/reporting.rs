//! Reports and deliveries in the store, with each engine.

use tlsrpt_format::datagram;
use tlsrpt_store::{
    Attempt, Batch, BatchId, CountedEvent, Date, Delivery, DeliveryState, FailureLimit, KeptDays, MxHostShare,
    NewDelivery, NewReport, Purged, ReportFilter, ReportStore, Route, Timestamp,
};

use crate::place::Place;

pub(crate) const NOW: Timestamp = Timestamp::UNIX_EPOCH;
pub(crate) const ALL: FailureLimit = FailureLimit { number: usize::MAX, bytes: u64::MAX };

pub(crate) fn day() -> Date {
    "2026-11-24".parse().unwrap()
}

/// A store with a report that has one delivery by mail and one by HTTPS.
pub(crate) fn store() -> (Place, Box<dyn ReportStore>) {
    let place = Place::new();
    let event = r#"{"d":"a.example","pr":"v=TLSRPTv1;rua=mailto:r@a.example","policies":[{"policy-type":9,"f":0}]}"#;
    let batch = Batch {
        id: BatchId { writer: "test".into(), number: 1 },
        day: day(),
        last_event: None,
        events: vec![CountedEvent { event: datagram::parse(event.as_bytes()).unwrap(), times: 3 }],
        invalid: vec![],
        dropped: 0,
    };
    place.open().add(&batch).unwrap();
    let reports = place.reports();
    (place, reports)
}

pub(crate) fn report() -> NewReport {
    let delivery = |destination: &str, mail_domain: Option<&str>| NewDelivery {
        destination: destination.into(),
        mail_domain: mail_domain.map(str::to_owned),
        token: 1,
        state: DeliveryState::Waiting,
        due: NOW,
        answer: String::new(),
    };
    NewReport {
        report_id: "1@sender.example".into(),
        made: NOW,
        file_name: "a.json.gz".into(),
        compressed: vec![1],
        summary: String::new(),
        succeeded: 3,
        failed: 0,
        deliveries: vec![delivery("mailto:r@a.example", Some("a.example")), delivery("https://a.example/", None)],
        mx_hosts: vec![],
    }
}

pub(crate) fn make(store: &mut dyn ReportStore) {
    let mut report = Some(report());
    store.make_reports(day(), "", 10, ALL, &mut |_| report.take()).unwrap();
}

pub(crate) fn attempt(delivery: &Delivery, state: DeliveryState) -> Attempt {
    Attempt {
        delivery: delivery.id,
        at: NOW,
        tried: true,
        state,
        next_attempt: (state == DeliveryState::Waiting).then_some(NOW),
        unknown: false,
        answer: "the answer".into(),
        warning: None,
    }
}

#[test]
fn a_delivery_that_is_cancelled_during_its_attempt_stays_cancelled_unless_it_was_delivered() {
    for (outcome, expected) in [
        (DeliveryState::Waiting, DeliveryState::Cancelled),
        (DeliveryState::Failed, DeliveryState::Cancelled),
        (DeliveryState::Suppressed, DeliveryState::Cancelled),
        (DeliveryState::Delivered, DeliveryState::Delivered),
    ] {
        let (_place, mut store) = store();
        make(store.as_mut());
        let begun = store.begin_attempts(Route::Mail, NOW, None, 10).unwrap();
        assert_eq!(begun.len(), 1);
        assert_eq!(store.cancel(begun[0].report).unwrap(), 2);
        store.end_attempts(&[attempt(&begun[0], outcome)]).unwrap();
        let delivery = store.delivery(begun[0].id).unwrap().unwrap();
        assert_eq!((delivery.state, delivery.next_attempt), (expected, None), "{outcome:?}");
        assert_eq!(store.begin_attempts(Route::Mail, NOW, None, 10).unwrap(), []);
    }
}

#[test]
fn an_attempt_is_begun_once_and_by_its_route_and_day() {
    let (_place, mut store) = store();
    make(store.as_mut());
    let other = day().tomorrow().unwrap();
    assert_eq!(store.begin_attempts(Route::Mail, NOW, Some(other), 10).unwrap(), []);
    let mut of = |route| {
        let begun = store.begin_attempts(route, NOW, Some(day()), 10).unwrap();
        begun.into_iter().map(|delivery| delivery.destination).collect::<Vec<_>>()
    };
    assert_eq!(of(Route::Mail), ["mailto:r@a.example"]);
    assert_eq!(of(Route::Https), ["https://a.example/"]);
    assert_eq!((of(Route::Mail), of(Route::Https)), (vec![], vec![]));
}

/// Removes the day of [`store`], after a day without events.
fn purge(store: &mut dyn ReportStore) -> Result<Purged, tlsrpt_store::Error> {
    let first = day().tomorrow().unwrap();
    let id = BatchId { writer: "another".into(), number: 1 };
    store.add(&Batch { id, day: first, last_event: None, events: vec![], invalid: vec![], dropped: 0 }).unwrap();
    assert_eq!(store.purge(KeptDays { first: day(), today: first }), Ok(Purged::default()));
    store.purge(KeptDays { first, today: first.tomorrow().unwrap() })
}

#[test]
fn purging_counts_unreported_events_and_waiting_deliveries() {
    let (_place, mut unreported) = store();
    assert_eq!(purge(unreported.as_mut()), Ok(Purged { days: 1, unreported: 3, waiting: 0 }));
    let (_place, mut waiting) = store();
    make(waiting.as_mut());
    assert_eq!(purge(waiting.as_mut()), Ok(Purged { days: 1, unreported: 0, waiting: 2 }));
    let (_place, mut delivered) = store();
    make(delivered.as_mut());
    for route in [Route::Mail, Route::Https] {
        let begun = delivered.begin_attempts(route, NOW, None, 10).unwrap();
        delivered.end_attempts(&[attempt(&begun[0], DeliveryState::Delivered)]).unwrap();
    }
    assert_eq!(purge(delivered.as_mut()), Ok(Purged { days: 1, unreported: 0, waiting: 0 }));
}

/// A store in which a domain has these failures, each with its code, its text and how many times, under two policies in turn.
fn failing(failures: &[(i32, &str, u64)]) -> (Place, Box<dyn ReportStore>) {
    let place = Place::new();
    let event = |(policy, (code, text, times)): (usize, &(i32, &str, u64))| {
        let text = format!(
            "{{\"d\":\"a.example\",\"pr\":\"v=TLSRPTv1;rua=mailto:r@a.example\",\"policies\":[{{\"policy-type\":9,\
             \"policy-domain\":\"{}.example\",\"failure-details\":[{{\"c\":{code},\"f\":\"{text}\"}}],\"f\":1}}]}}",
            policy % 2
        );
        CountedEvent { event: datagram::parse(text.as_bytes()).unwrap(), times: *times }
    };
    let events = failures.iter().enumerate().map(event).collect();
    let id = BatchId { writer: "test".into(), number: 1 };
    let batch = Batch { id, day: day(), last_event: None, events, invalid: vec![], dropped: 0 };
    place.open().add(&batch).unwrap();
    let reports = place.reports();
    (place, reports)
}

/// Texts with how many times.
type Counted = Vec<(String, u64)>;

/// The failures of the domain that are taken one by one, and those that are added up, by code.
fn taken(store: &mut dyn ReportStore, limit: FailureLimit) -> (Counted, Counted) {
    use tlsrpt_format::datagram::FailureMember::FailureReasonCode;
    let unreported = store.unreported(day(), "a.example", limit).unwrap().unwrap();
    let all = unreported.policies.iter().flat_map(|policy| &policy.failures);
    let (one_by_one, added_up): (Vec<_>, Vec<_>) = all
        .map(|counts| (counts.failure.as_ref().unwrap(), counts.times))
        .partition(|(failure, _)| failure.details.get(FailureReasonCode).is_some());
    let text = one_by_one
        .into_iter()
        .map(|(failure, times)| (failure.details.get(FailureReasonCode).unwrap_or_default().to_owned(), times));
    let kind = added_up.into_iter().map(|(failure, times)| (failure.result_type().unwrap().to_owned(), times));
    let (mut text, mut kind): (Counted, Counted) = (text.collect(), kind.collect());
    text.sort();
    kind.sort();
    (text, kind)
}

#[test]
fn the_most_frequent_failures_are_taken_one_by_one_and_the_others_are_added_up() {
    let failures =
        [(201, "a", 9), (201, "b", 8), (202, "c", 3), (202, "d", 3), (202, "e", 3), (201, "f", 1), (202, "g", 1)];
    let (_place, mut store) = failing(&failures);
    let named = |all: &[(&str, u64)]| all.iter().map(|(text, times)| ((*text).to_owned(), *times)).collect::<Vec<_>>();
    let every = failures.map(|(_, text, times)| (text, times));
    assert_eq!(taken(store.as_mut(), ALL), (named(&every), vec![]));
    let number = |number| FailureLimit { number, ..ALL };
    assert_eq!(taken(store.as_mut(), number(7)), (named(&every), vec![]));
    let (one_by_one, added_up) = taken(store.as_mut(), number(4));
    assert_eq!(one_by_one.len(), 4);
    assert!(one_by_one.starts_with(&named(&[("a", 9), ("b", 8)])), "{one_by_one:?}");
    assert_eq!(added_up.iter().map(|(_, times)| times).sum::<u64>(), 3 + 1 + 1);
    // All of one policy and code are one.
    let (none, added_up) = taken(store.as_mut(), number(0));
    assert_eq!(none, []);
    let sums = [("certificate-host-mismatch", 3 + 3 + 1), ("certificate-host-mismatch", 3)];
    assert_eq!(added_up[..2], named(&[sums[1], sums[0]]), "{added_up:?}");
    assert_eq!(added_up.iter().map(|(_, times)| times).sum::<u64>(), 28);
}

#[test]
fn the_bytes_of_failures_have_a_limit() {
    let long = "x".repeat(1000);
    let failures: Vec<_> = ["1", "2", "3"].map(|n| format!("{n}{long}")).to_vec();
    let failures: Vec<_> = failures.iter().map(|text| (201, text.as_str(), 1)).chain([(201, "short", 5)]).collect();
    let (_place, mut store) = failing(&failures);
    let (one_by_one, added_up) = taken(store.as_mut(), FailureLimit { bytes: 2500, ..ALL });
    assert_eq!(one_by_one.len(), 3, "{one_by_one:?}");
    assert_eq!(added_up.iter().map(|(_, times)| times).sum::<u64>(), 1);
    assert_eq!(taken(store.as_mut(), FailureLimit { bytes: 10, ..ALL }).0, []);
    // The most frequent is taken, also where it is under a later policy.
    let (rare, frequent) = (format!("1{long}"), format!("2{long}"));
    let (_place, mut store) = failing(&[(201, &rare, 1), (201, &frequent, 5)]);
    assert_eq!(taken(store.as_mut(), FailureLimit { bytes: 1500, ..ALL }).0, [(frequent, 5)]);
}

#[test]
fn mx_hosts_that_wait_are_counted_once_for_each_day() {
    let (_place, mut store) = failing(&[(201, "a", 1)]);
    let share = |host: &str, domain: &str| MxHostShare {
        host: host.into(),
        domain: domain.into(),
        destinations: vec![],
        policies: vec![],
    };
    let mut report = NewReport {
        report_id: "1@sender.example".into(),
        made: NOW,
        file_name: "a.json.gz".into(),
        compressed: vec![],
        summary: String::new(),
        succeeded: 0,
        failed: 1,
        deliveries: vec![],
        mx_hosts: vec![share("a", "x"), share("a", "y"), share("b", "x")],
    };
    report.mx_hosts.extend((0..20).map(|n| share(&format!("c{n}"), "x")));
    let mut report = Some(report);
    store.make_reports(day(), "", 10, ALL, &mut |_| report.take()).unwrap();
    assert_eq!(store.waiting_mx_hosts(None).unwrap(), 22);
    assert_eq!(store.waiting_mx_hosts(Some(day())).unwrap(), 22);
    assert_eq!(store.waiting_mx_hosts(Some(day().tomorrow().unwrap())).unwrap(), 0);
    store.put_off_mx_host(day(), "a", Timestamp::MAX).unwrap();
    assert_eq!(store.waiting_mx_hosts(None).unwrap(), 22);
    store
        .make_mx_host_reports(day(), "a", &mut |_, shares| {
            assert_eq!(shares.len(), 2);
            vec![]
        })
        .unwrap();
    assert_eq!(store.waiting_mx_hosts(None).unwrap(), 21);
}

#[test]
fn a_report_of_another_program_is_kept_once_and_delivered() {
    let (_place, mut store) = store();
    make(store.as_mut());
    let taken = NewReport { report_id: "idx1@other.example".into(), ..report() };
    assert_eq!(store.keep_report(day(), "A.Example.", &taken), Ok(true));
    assert_eq!(store.keep_report(day(), "a.example", &taken), Ok(false));
    // The same id about another domain or day is another report.
    assert_eq!(store.keep_report(day(), "b.example", &taken), Ok(true));
    assert_eq!(store.keep_report(day().tomorrow().unwrap(), "a.example", &taken), Ok(true));
    let reports = store.reports(&ReportFilter { day: Some(day()), ..ReportFilter::default() }, 10).unwrap();
    let numbers: Vec<_> = reports.iter().map(|report| (report.domain.as_str(), report.number)).collect();
    assert_eq!(numbers, [("a.example", 1), ("a.example", 2), ("b.example", 1)]);
    assert_eq!(store.begin_attempts(Route::Mail, NOW, None, 10).unwrap().len(), 4);
}

#[test]
fn the_last_batch_of_a_writer() {
    let (_place, mut store) = store();
    assert_eq!((store.last_batch("test"), store.last_batch("another")), (Ok(1), Ok(0)));
}

#[test]
fn a_reader_sees_whether_a_reporter_runs() {
    let (place, mut store) = store();
    let mut reader = place.reader();
    assert_eq!(reader.has_reporter(), Ok(false));
    store.become_reporter(NOW).unwrap();
    assert_eq!(reader.has_reporter(), Ok(true));
    drop(store);
    assert_eq!(reader.has_reporter(), Ok(false));
}

#[test]
fn waiting_deliveries_are_counted_and_due_ones_are_known() {
    let (_place, mut store) = store();
    let later = Timestamp::from_second(100).unwrap();
    let before = Timestamp::from_second(-1).unwrap();
    assert_eq!((store.has_due(later, None), store.waiting(None)), (Ok(false), Ok(0)));
    make(store.as_mut());
    let (of_day, other) = (Some(day()), Some(day().tomorrow().unwrap()));
    for (day, due, waiting) in [(None, true, 2), (of_day, true, 2), (other, false, 0)] {
        assert_eq!((store.has_due(NOW, day), store.waiting(day)), (Ok(due), Ok(waiting)), "{day:?}");
        assert_eq!(store.has_due(before, day), Ok(false));
    }
    // One whose attempt is under way neither waits nor is due.
    let mail = store.begin_attempts(Route::Mail, NOW, None, 10).unwrap();
    assert_eq!((store.has_due(NOW, of_day), store.waiting(of_day)), (Ok(true), Ok(1)));
    let https = store.begin_attempts(Route::Https, NOW, None, 10).unwrap();
    assert_eq!((store.has_due(NOW, None), store.waiting(None)), (Ok(false), Ok(0)));
    let again = Attempt { next_attempt: Some(later), ..attempt(&https[0], DeliveryState::Waiting) };
    store.end_attempts(&[attempt(&mail[0], DeliveryState::Delivered), again]).unwrap();
    assert_eq!(
        (store.has_due(NOW, None), store.has_due(later, None), store.waiting(None)),
        (Ok(false), Ok(true), Ok(1))
    );
}
