//! The longest of many calls while the collector does not read: no call may wait for it.

use std::{
    error::Error,
    time::{Duration, Instant},
};

use crate::{
    collector::Collector,
    event::{EVENTS, finish},
    library::Library,
    table::section,
};

const CALLS: usize = 100_000;

/// The table of both libraries.
pub(crate) fn compare(ours: &Library, theirs: &Library) -> Result<String, Box<dyn Error>> {
    let collector = Collector::new()?;
    let rows = [("C", theirs), ("ours", ours)].map(|(name, library)| {
        let mut times = times(library, &collector);
        times.sort();
        let at = |share: f64| times[((CALLS - 1) as f64 * share) as usize];
        let cells = [at(0.5), at(0.999), at(1.0)].map(|time| format!("{:.1}", time.as_nanos() as f64 / 1000.0));
        [vec![name.to_owned()], cells.to_vec()].concat()
    });
    Ok(section(
        "A full queue",
        "Microseconds of tlsrpt_finish_delivery_request, 100,000 calls, while no process reads and the queue is full: each \
         fails at once with 13011. The longest includes the time of other processes.",
        &["library", "median", "99.9 %", "longest"],
        &rows,
    ))
}

fn times(library: &Library, collector: &Collector) -> Vec<Duration> {
    let connection = library.connect(&collector.path());
    let event = &EVENTS[0];
    while finish(library, event.build(library, connection)) == 0 {}
    let times = (0..CALLS)
        .map(|_| {
            let request = event.build(library, connection);
            let start = Instant::now();
            let code = finish(library, request);
            let time = start.elapsed();
            assert_eq!(code, 13000 + libc::EAGAIN, "the queue is full");
            time
        })
        .collect();
    library.disconnect(connection);
    collector.drain();
    times
}
