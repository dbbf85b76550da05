//! Prints the metrics of a made-up host with hostile domain names, for `make test-metrics`.

use jiff::Timestamp;
use tlsrpt_status::{Collector, Disk, Place, Reason, Reports, Status, Stored, Worst, metrics::metrics};
use tlsrpt_store::{DayCounts, DeliveryState, Url};

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
    let stored = Stored {
        days: vec![day("2026-11-24"), day("2026-11-23")],
        worst: ["a.example", "\"\\\n{}\u{202e}ö", ""].map(worst).into(),
        invalid: Vec::new(),
        reports: Reports {
            day: "2026-11-23".parse().expect("a date"),
            made: 2,
            deliveries: vec![(DeliveryState::Delivered, 3)],
        },
        last_event: Some(now),
        size: 1,
        disk: Some(Disk { free: 1, size: 2 }),
        damage: None,
    };
    let place = Place { socket: "/s".into(), store: Url::Sqlite("/d".into()) };
    let status =
        Status { place, now, collector: Collector::Listening, stored: Ok(stored), attention: vec!["one".into()] };
    print!("{}", metrics(&status));
}
