//! Several threads on one connection.

use std::{
    error::Error,
    thread,
    time::{Duration, Instant},
};

use crate::{
    bare::Bare,
    collector::Collector,
    event::{EVENTS, finish},
    library::{Handle, Library},
    table::section,
};

const EVENTS_PER_RUN: usize = 40_000;
const RUNS: usize = 7;

/// A handle of a connection that several threads share.
struct SharedHandle(Handle);
// SAFETY: tlsrpt.h allows several threads to use one connection at the same time.
unsafe impl Sync for SharedHandle {}

/// The table of ours and the bare calls, in blocking mode, in which no event is lost.
pub(crate) fn compare(ours: &Library) -> Result<String, Box<dyn Error>> {
    let collector = Collector::new()?;
    let event = &EVENTS[1];
    let connection = SharedHandle(ours.connect(&collector.path()));
    let bare = Bare::new(&collector.path());
    let socket = bare.socket();
    let bytes = vec![b'x'; 529];
    // SAFETY: takes nothing.
    unsafe { (ours.set_blocking)() };
    let mut rows = Vec::new();
    for threads in [1, 2] {
        let connection = &connection;
        let our_rate = median_rate(&collector, threads, || {
            assert_eq!(finish(ours, event.build(ours, connection.0)), 0, "an event is sent");
        });
        let bare_rate = median_rate(&collector, threads, || bare.send_waiting(socket, &bytes));
        rows.push(vec![
            threads.to_string(),
            format!("{our_rate:.0}"),
            format!("{bare_rate:.0}"),
            format!("{:.2}", our_rate / bare_rate),
        ]);
    }
    // SAFETY: takes nothing.
    unsafe { (ours.set_nonblocking)() };
    bare.close(socket);
    ours.disconnect(connection.0);
    Ok(section(
        "Threads on one connection",
        "Events a second (the DANE failure, 529 bytes) that a receiver in one more thread received, blocking mode, median \
         of 7 runs. For comparison, the bare sendto on one socket.",
        &["threads", "ours", "bare sendto", "ours / bare"],
        &rows,
    ))
}

fn median_rate(collector: &Collector, threads: usize, send: impl Fn() + Sync) -> f64 {
    let mut times: Vec<_> = (0..RUNS).map(|_| run(collector, threads, &send)).collect();
    times.sort();
    EVENTS_PER_RUN as f64 / times[RUNS / 2].as_secs_f64()
}

fn run(collector: &Collector, threads: usize, send: &(impl Fn() + Sync)) -> Duration {
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| (0..EVENTS_PER_RUN / threads).for_each(|_| send()));
        }
        collector.receive(EVENTS_PER_RUN).expect("the events arrive");
    });
    start.elapsed()
}
