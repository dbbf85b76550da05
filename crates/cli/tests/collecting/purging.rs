//! Days that are older than `keep-days`.

use jiff::tz::TimeZone;
use tlsrpt_format::datagram;
use tlsrpt_store::{Batch, BatchId, CountedEvent, Date, Options, Timestamp, Url, open};

use crate::support::{Collector, Place, event};

/// A batch with one event of `day`, which arrived `times` times.
fn batch(number: u64, day: Date, times: u64) -> Batch {
    Batch {
        id: BatchId { writer: "test".into(), number },
        day,
        last_event: None,
        events: vec![CountedEvent { event: datagram::parse(event("a.example").as_bytes()).unwrap(), times }],
        invalid: Vec::new(),
        dropped: 0,
    }
}

pub(crate) fn a_day_that_is_removed_before_its_report_is_a_warning() {
    let place = Place::new("");
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let back = |days: i64| today.checked_sub(jiff::Span::new().days(days)).unwrap();
    let mut store = open(&Url::Sqlite(place.store()), Options::default()).unwrap();
    store.add(&batch(1, back(40), 3)).unwrap();
    store.add(&batch(2, back(1), 5)).unwrap();
    drop(store);
    let mut collector = Collector::spawn(place.command());
    let warning = collector.says("were in no report");
    assert!(warning.contains("3 events of the removed days"), "{warning}");
    assert!(warning.contains("set a larger keep-days"), "{warning}");
    collector.end();
    assert_eq!(place.totals().events, 5);
}
