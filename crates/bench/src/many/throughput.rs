//! The events a second of 1, 4 and 16 collectors, until all are committed in PostgreSQL.

use std::{error::Error, path::Path};

use super::{
    figures::{Run, bytes, grouped},
    load::Load,
    site::Site,
};
use crate::table;

const COLLECTORS: [usize; 3] = [1, 4, 16];
const DOMAINS: [usize; 3] = [24, 10_000, 100_000];
/// A number of events that takes some seconds.
const EVENTS: usize = 200_000;

pub(crate) fn measure(command: &Path) -> Result<String, Box<dyn Error>> {
    let mut rows = Vec::new();
    for domains in DOMAINS {
        for collectors in COLLECTORS {
            let run = Run::measure(&Site::new(command, "")?, Load::new(domains, EVENTS), collectors)?;
            rows.push(vec![
                grouped(domains as f64),
                collectors.to_string(),
                grouped(run.rate()),
                grouped(run.batches as f64),
                format!("{:.1} s", run.server_seconds * 1e6 / EVENTS as f64),
                bytes(run.wal_of_an_event()),
            ]);
        }
    }
    let header = [
        "events of domains",
        "collectors",
        "events a second",
        "transactions",
        "processor time of the server for a million events",
        "write-ahead log for an event",
    ];
    let explanation = format!(
        "{} events into an empty store, from the first one sent until all are committed in PostgreSQL. Each collector is a process \
         with its own spool and one sender that waits for room. The settings of PostgreSQL are the defaults. Server, \
         collectors and senders share the processors of this machine.",
        grouped(EVENTS as f64)
    );
    Ok(table::section("Throughput", &explanation, &header, &rows))
}

/// Runs a short load. The sums must be exact.
pub(crate) fn check(command: &Path, events: usize) -> Result<(), Box<dyn Error>> {
    let site = Site::new(command, "")?;
    let run = Run::measure(&site, Load::new(100, events), 4)?;
    let counted = site.number("SELECT sum(events) FROM domain_of_day")?;
    if counted != events as u64 || run.batches == 0 {
        return Err(format!("{counted} of {events} events in {} batches", run.batches).into());
    }
    println!("ok: {events} events of 4 collectors in PostgreSQL");
    Ok(())
}
