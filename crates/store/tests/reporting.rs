//! Reports and deliveries in the store.

use tempfile::TempDir;
use tlsrpt_format::datagram;
use tlsrpt_store::{
    Attempt, Batch, BatchId, CountedEvent, Date, Delivery, DeliveryState, NewDelivery, NewReport, Options, Purged,
    ReportStore, Route, Synchronous, Timestamp, Url, open, open_reports,
};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn day() -> Date {
    "2026-11-24".parse().unwrap()
}

/// A store with a report that has one delivery by mail and one by HTTPS.
fn store() -> (TempDir, Box<dyn ReportStore>) {
    let directory = tempfile::tempdir().unwrap();
    let url = Url::Sqlite(directory.path().join("tlsrpt.db"));
    let event = r#"{"d":"a.example","pr":"v=TLSRPTv1;rua=mailto:r@a.example","policies":[{"policy-type":9,"f":0}]}"#;
    let batch = Batch {
        id: BatchId { writer: "test".into(), number: 1 },
        day: day(),
        last_event: None,
        events: vec![CountedEvent { event: datagram::parse(event.as_bytes()).unwrap(), times: 3 }],
        invalid: vec![],
        dropped: 0,
    };
    open(&url, Options::default()).unwrap().add(&batch).unwrap();
    (directory, open_reports(&url, Synchronous::Full).unwrap())
}

fn make(store: &mut dyn ReportStore) {
    let delivery = |destination: &str, mail_domain: Option<&str>| NewDelivery {
        destination: destination.into(),
        mail_domain: mail_domain.map(str::to_owned),
        token: 1,
        state: DeliveryState::Waiting,
        due: NOW,
        answer: String::new(),
    };
    let mut report = Some(NewReport {
        report_id: "1@sender.example".into(),
        made: NOW,
        file_name: "a.json.gz".into(),
        compressed: vec![1],
        summary: String::new(),
        succeeded: 3,
        failed: 0,
        deliveries: vec![delivery("mailto:r@a.example", Some("a.example")), delivery("https://a.example/", None)],
        mx_hosts: vec![],
    });
    store.make_reports(day(), "", 10, &mut |_| report.take()).unwrap();
}

fn attempt(delivery: &Delivery, state: DeliveryState) -> Attempt {
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
        let (_directory, mut store) = store();
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
    let (_directory, mut store) = store();
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

#[test]
fn purging_counts_unreported_events_and_waiting_deliveries() {
    let after = day().tomorrow().unwrap();
    let (_directory, mut unreported) = store();
    assert_eq!(unreported.purge(after), Ok(Purged { days: 1, unreported: 3, waiting: 0 }));
    let (_directory, mut waiting) = store();
    make(waiting.as_mut());
    assert_eq!(waiting.purge(day()), Ok(Purged::default()));
    assert_eq!(waiting.purge(after), Ok(Purged { days: 1, unreported: 0, waiting: 2 }));
    let (_directory, mut delivered) = store();
    make(delivered.as_mut());
    for route in [Route::Mail, Route::Https] {
        let begun = delivered.begin_attempts(route, NOW, None, 10).unwrap();
        delivered.end_attempts(&[attempt(&begun[0], DeliveryState::Delivered)]).unwrap();
    }
    assert_eq!(delivered.purge(after), Ok(Purged { days: 1, unreported: 0, waiting: 0 }));
}
