//! A power cut: each file has the content of its last fsync, and nothing that was written later.

use std::{
    fs,
    process::{Command, id},
};

use nix::sys::signal::Signal;

use crate::support::{Collector, Place, event};

const EVENTS: u64 = 3000;

/// Collects events with different domains, waits until all are committed, and cuts the power. Returns the number of events that
/// are left.
fn left_by_a_power_cut(synchronous: &str) -> u64 {
    let place = Place::new("");
    let configuration = place.path("tlsrpt.toml");
    let text = fs::read_to_string(&configuration).unwrap();
    fs::write(&configuration, format!("{text}synchronous = {synchronous:?}\n")).unwrap();
    let library = std::env::temp_dir().join(format!("tlsrpt-synced-{}.so", id()));
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/collecting/synced.c");
    let compiled = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source).arg("-ldl").status();
    assert!(compiled.unwrap().success());
    let mut command = place.command();
    command.env("LD_PRELOAD", &library);
    let collector = Collector::started(command);
    fs::remove_file(&library).unwrap();
    for number in 0..EVENTS {
        collector.send(&place, event(&format!("{number}.example")));
        if number % 100 == 99 {
            place.wait_for_events(number + 1);
        }
    }
    collector.signal(Signal::SIGKILL);
    collector.wait();
    let _ = fs::remove_file(place.path("tlsrpt.db-shm"));
    for name in ["tlsrpt.db", "tlsrpt.db-wal"] {
        let _ = fs::remove_file(place.path(name));
        // A file without any fsync may be missing.
        let _ = fs::rename(place.path(&format!("{name}.synced")), place.path(name));
    }
    // The next collector recovers the store.
    place.start().end();
    assert!(place.reader().check().unwrap().is_empty());
    place.totals().events
}

pub(crate) fn a_power_cut_loses_no_committed_event() {
    let (full, normal) = (left_by_a_power_cut("full"), left_by_a_power_cut("normal"));
    println!("  of {EVENTS} committed events, a power cut leaves {full} with full, {normal} with normal");
    assert_eq!(full, EVENTS);
    // Positive control: this power cut loses data that is not synchronized.
    assert!(normal < EVENTS, "{normal}");
}
