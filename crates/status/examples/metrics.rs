//! Prints the metrics of a made-up host with hostile domain names, for `make test-metrics`.

use jiff::{SignedDuration, Timestamp};
use tlsrpt_status::{Collector, Disk, Place, Reason, Reports, Status, Stored, Worst, metrics::metrics};
use tlsrpt_store::{DayCounts, DeliveryState, Host, HostState, Limits, SpoolState, Url};

fn main() {
    let now = Timestamp::UNIX_EPOCH;
    let day = |text: &str| DayCounts {
        day: text.parse().expect("a date"),
        events: u64::MAX,
        failed: 2,
        domains: 3,
        policies: 4,
        failures: 5,
        invalid: 6,
        dropped: 7,
        last_event: Some(now),
    };
    let worst = |domain: &str| Worst {
        domain: domain.into(),
        events: 2,
        failed: 1,
        reasons: vec![Reason { result_type: "certificate-expired".into(), times: 1 }],
    };
    let host = |name: &str| Host {
        state: HostState {
            name: name.into(),
            now,
            complete_before: "2026-11-24".parse().expect("a date"),
            last_batch: None,
            spool_batches: u64::MAX,
            spool_bytes: 1,
        },
        checked_in: now,
        silent_for: SignedDuration::from_secs(1),
        clock_difference: SignedDuration::from_millis(-1500),
    };
    let stored = Stored {
        hosts: ["mx1.example", "\"\\\n"].map(host).into(),
        days: vec![day("2026-11-24"), day("2026-11-23")],
        worst: ["a.example", "\"\\\n{}\u{202e}ö", ""].map(worst).into(),
        invalid: Vec::new(),
        reports: Reports {
            day: "2026-11-23".parse().expect("a date"),
            made: 2,
            deliveries: vec![(DeliveryState::Delivered, 3)],
        },
        reports_by_day: Vec::new(),
        alerts: Vec::new(),
        last_event: Some(now),
        size: 1,
        disk: Some(Disk { free: 1, size: 2 }),
        damage: None,
    };
    let (socket, store) = ("/s".into(), Url::Sqlite("/d".into()));
    let place = Place { socket, store, limits: Limits::default(), spool: "/q".into() };
    let spool = SpoolState { batches: 1, bytes: 2, oldest: Some(now), first_day: None, unreadable: 3 };
    let status = Status {
        place,
        now,
        collector: Collector::Listening,
        stored: Ok(stored),
        spool: Some(Ok(spool)),
        attention: vec!["one".into()],
        notes: Vec::new(),
    };
    print!("{}", metrics(&status));
}
