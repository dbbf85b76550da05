//! How the server finds the rows of a batch.

use std::time::{Duration, Instant};

use crate::{
    behaviour::batches::{BAD, DAY, batch, event},
    place::Place,
    privileges::shared,
};

/// The planner of the server would rather read the whole day once and compare each of its rows with each of the batch, since
/// it believes that a new table is small.
#[test]
fn a_batch_finds_each_failure_by_its_key() {
    const FAILURES: i64 = 500;
    let place = Place::new();
    let events: Vec<_> = (0..FAILURES).map(|n| (event(&format!("{n}.example"), "r", &[BAD]), 1)).collect();
    let mut collector = shared(&place);
    for number in 1..=2 {
        collector.add(&batch(number, DAY, &events)).unwrap();
    }
    // The server has its statistics when the connection has ended.
    drop(collector);
    // In each batch each failure is looked up once, and once more when it is inserted or counted.
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let lookups = place.number("SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = 'failures_pkey'");
        if lookups == 4 * FAILURES {
            return;
        }
        assert!(Instant::now() < end, "{lookups} lookups");
    }
}
