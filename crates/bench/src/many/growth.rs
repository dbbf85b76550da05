//! The rows and bytes of a day.

use std::{error::Error, path::Path};

use super::{
    figures::{Run, Size, TABLES, bytes, grouped},
    load::Load,
    reporters::deliver,
    site::Site,
};
use crate::table;

const DOMAINS: [usize; 3] = [1_000, 10_000, 100_000];
const EVENTS_OF_A_DOMAIN: usize = 3;
const COLLECTORS: usize = 4;
/// The domains of a large site.
const MANY: usize = 1_000_000;
/// The days that are kept by default.
const DAYS: u64 = 30;

/// The sizes of a day, in the order of [`TABLES`].
#[derive(Debug)]
struct Day {
    domains: usize,
    sizes: Vec<Size>,
}

/// The tables.
pub(crate) fn measure(command: &Path) -> Result<String, Box<dyn Error>> {
    let days = DOMAINS.iter().map(|&domains| day(command, domains)).collect::<Result<Vec<_>, _>>()?;
    let rows: Vec<_> = days.iter().flat_map(|day| (0..TABLES.len()).map(move |index| row(day, index))).collect();
    let explanation = format!(
        "A day in an empty store: {EVENTS_OF_A_DOMAIN} events of each domain through {COLLECTORS} collectors, then its \
         reports, one mail for each domain. Each domain has a record and a policy of its own; each tenth has a failure."
    );
    let header = ["domains", "part", "rows", "tables", "indexes", "for each domain"];
    let measured = table::section("Growth", &explanation, &header, &rows);
    let computed = days.last().map(large).unwrap_or_default();
    Ok(format!("{measured}\n{computed}"))
}

fn row(day: &Day, index: usize) -> Vec<String> {
    let size = day.sizes[index];
    let mut row = vec![grouped(day.domains as f64), TABLES[index].0.into(), grouped(size.rows as f64)];
    row.extend([size.tables, size.indexes].map(|size| bytes(size as f64)));
    row.push(bytes(size.bytes() as f64 / day.domains as f64));
    row
}

fn day(command: &Path, domains: usize) -> Result<Day, Box<dyn Error>> {
    let site = Site::new(command, "")?;
    Run::measure(&site, Load::new(domains, domains * EVENTS_OF_A_DOMAIN), COLLECTORS)?;
    deliver(&site, 1, domains)?;
    let sizes = TABLES.iter().map(|(_, tables)| Size::of(&site, tables)).collect::<Result<_, _>>()?;
    Ok(Day { domains, sizes })
}

/// What a large site takes, computed from a day.
fn large(measured: &Day) -> String {
    let times = (MANY / measured.domains) as u64;
    let mut total = 0;
    let mut rows: Vec<_> = TABLES
        .iter()
        .zip(&measured.sizes)
        .map(|((name, _), size)| {
            let size = size.times(times);
            let days = if name.starts_with("texts") { 1 } else { DAYS };
            total += size.bytes() * days;
            let sizes = [size.tables, size.indexes, size.bytes() * days].map(|size| bytes(size as f64));
            [vec![(*name).into(), grouped(size.rows as f64)], sizes.to_vec()].concat()
        })
        .collect();
    rows.push([vec!["all".into()], vec![String::new(); 3], vec![bytes(total as f64)]].concat());
    let explanation = format!(
        "Computed from the day of {} domains above. With `keep-days = {DAYS}`, counters and reports are there {DAYS} times, \
         texts of domains that are the same each day once. Sessions of the same kind count in the same rows, however many there \
         are.",
        grouped(measured.domains as f64)
    );
    let header = ["part", "rows of a day", "tables", "indexes", &format!("after {DAYS} days")];
    table::section("A day of a million domains", &explanation, &header, &rows)
}
