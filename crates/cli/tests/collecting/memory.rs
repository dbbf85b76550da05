//! The memory of the collector.

use std::os::unix::net::UnixDatagram;

use nix::sys::signal::Signal;

use crate::support::{Place, event, until};

pub(crate) fn memory_stays_small() {
    const DOMAINS: u64 = 100_000;
    let place = Place::new("");
    let collector = place.start();
    // The code of a program without optimization is larger than the limit: then only its data is measured.
    let optimized = !cfg!(debug_assertions) || std::env::var_os("TLSRPT_COMMAND").is_some();
    let idle = collector.memory(if optimized { "VmRSS:" } else { "RssAnon:" });
    let sender = UnixDatagram::unbound().unwrap();
    for number in 0..DOMAINS {
        sender.send_to(event(&format!("{number}.example")).as_bytes(), place.socket()).unwrap();
    }
    // With a slow disk the collector may drop and count some.
    until(|| {
        let totals = place.totals();
        totals.events + totals.dropped == DOMAINS
    });
    let dropped = place.totals().dropped;
    let most = collector.memory("VmHWM:");
    println!("  {idle} KiB idle, at most {most} KiB with {DOMAINS} domains in a day, {dropped} dropped");
    collector.signal(Signal::SIGTERM);
    assert_eq!(collector.wait().0, Some(0));
    assert!(idle < 12 << 10, "{idle}");
    assert!(most < 64 << 10, "{most}");
}
