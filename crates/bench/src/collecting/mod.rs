//! The events a second that a collector receives from senders that wait for room: ours, tlsrpt-collectd, and a loop
//! that only receives and discards.

mod chart;
mod load;
mod receiver;

use std::{error::Error, fs};

pub(crate) use load::datagram;
use load::{LOADS, Load, SENDERS};
use receiver::Receiver;
pub(crate) use receiver::{Directory, Process, receive, wait_for};

use crate::{arguments::Collecting, machine, table};

/// The number of measurements of each. The result is their median.
const ROUNDS: usize = 3;

/// Measures all in turn, prints a table, and writes the page and its chart.
pub(crate) fn compare(arguments: &Collecting) -> Result<(), Box<dyn Error>> {
    let (mut rows, mut groups) = (Vec::new(), Vec::new());
    for load in LOADS {
        let rates = median_rates(arguments, load)?;
        rows.push(row(load, rates));
        groups.push(chart::Group { name: load.name, values: rates.to_vec() });
    }
    let series = Receiver::ALL.map(Receiver::name);
    let header = ["events of", series[0], series[1], series[2], "ours / bare", "ours / collectd"];
    let explanation = format!(
        "Events a second from {SENDERS} senders that wait for room, the median of {ROUNDS} runs of each in turn. \
         tlsrpt collect: until all are committed (`synchronous = \"full\"`) and it has ended. tlsrpt-collectd: until all \
         are received."
    );
    let report = format!(
        "{}\n{}",
        machine::describe("make bench-collect")?,
        table::section("Throughput", &explanation, &header, &rows)
    );
    print!("{report}");
    if let Some(file) = &arguments.report {
        fs::write(file, table::between_markers(&fs::read_to_string(file)?, &report)?)?;
    }
    if let Some(file) = &arguments.chart {
        fs::write(file, chart::svg("Events a second, longer is better", &series, &groups))?;
    }
    Ok(())
}

fn median_rates(arguments: &Collecting, load: Load) -> Result<[f64; Receiver::ALL.len()], Box<dyn Error>> {
    let mut rates = [[0.0; ROUNDS]; Receiver::ALL.len()];
    for round in 0..ROUNDS {
        for (rates, receiver) in rates.iter_mut().zip(Receiver::ALL) {
            rates[round] = receiver.rate(arguments, load)?;
        }
    }
    Ok(rates.map(|mut rates| {
        rates.sort_by(f64::total_cmp);
        rates[ROUNDS / 2]
    }))
}

fn row(load: Load, [bare, ours, theirs]: [f64; Receiver::ALL.len()]) -> Vec<String> {
    let mut row = vec![load.name.to_owned()];
    row.extend([bare, ours, theirs].map(|rate| format!("{rate:.0}")));
    row.extend([format!("{:.2}", ours / bare), format!("{:.1}", ours / theirs)]);
    row
}
