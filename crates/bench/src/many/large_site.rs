//! The load of a large site, at its rate of events.

use std::{error::Error, path::Path};

use super::{
    figures::{Run, bytes, grouped},
    load::Load,
    site::Site,
};
use crate::table;

const SESSIONS: f64 = 100e6;
/// The domains of the events.
const DOMAINS: usize = 200_000;
const HOSTS: usize = 16;
const DAY: f64 = 86_400.0;
/// How many times the average the busiest hour has.
const PEAK: f64 = 3.0;
/// How long each rate is held.
const SECONDS: f64 = 20.0;

pub(crate) fn measure(command: &Path) -> Result<String, Box<dyn Error>> {
    let site = Site::new(command, "")?;
    let fill = Run::measure(&site, Load::new(DOMAINS, DOMAINS), HOSTS)?;
    let average = SESSIONS / DAY;
    let paced = |rate: f64| {
        let load = Load { domains: DOMAINS, events: (rate * SECONDS) as usize, rate: Some(rate) };
        Ok::<_, Box<dyn Error>>((rate, Run::measure(&site, load, HOSTS)?))
    };
    let runs = [paced(average)?, paced(average * PEAK)?];
    let explanation = format!(
        "{HOSTS} collectors get events at these rates for {SECONDS:.0} seconds each, all of different domains, the worst case. \
         Before, the store got {} events of as many new domains, at {} a second. A peak of {PEAK:.0} times the average is assumed.",
        grouped(DOMAINS as f64),
        grouped(fill.rate())
    );
    Ok(table::section("The load of 100 million sessions a day", &explanation, &["", "average", "peak"], &rows(&runs)))
}

fn rows(runs: &[(f64, Run)]) -> Vec<Vec<String>> {
    let row = |name: &str, cell: &dyn Fn(&(f64, Run)) -> String| {
        [vec![name.to_owned()], runs.iter().map(cell).collect::<Vec<_>>()].concat()
    };
    vec![
        row("events a second, sent", &|(rate, _)| grouped(*rate)),
        row("events a second, until all were committed", &|(_, run)| grouped(run.rate())),
        row("transactions a second", &|(_, run)| format!("{:.1}", run.batches_a_second())),
        row("transactions in 24 hours at this rate", &|(_, run)| grouped(run.batches_a_second() * DAY)),
        row("cores of the server", &|(_, run)| format!("{:.2}", run.cores())),
        row("write-ahead log a second", &|(rate, run)| bytes(run.wal_of_an_event() * rate)),
        row("write-ahead log in 24 hours at this rate", &|(rate, run)| bytes(run.wal_of_an_event() * rate * DAY)),
    ]
}
