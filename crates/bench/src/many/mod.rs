//! Many collectors that pass their batches on to one PostgreSQL: the events a second. Writes the table of docs/many-hosts.md.

mod figures;
mod load;
mod site;
mod throughput;

use std::{error::Error, fs};

use crate::{arguments::Many, machine, table};

/// Measures all parts in turn, prints their tables, and writes the page.
pub(crate) fn measure(arguments: &Many) -> Result<(), Box<dyn Error>> {
    let command = fs::canonicalize(&arguments.command)?;
    if let Some(events) = arguments.check {
        return throughput::check(&command, events);
    }
    let machine = machine::describe("make bench-many")?;
    let report = format!(
        "{}{}.\n\n{}",
        machine.trim_end_matches(".\n"),
        site::server_version()?,
        throughput::measure(&command)?
    );
    print!("{report}");
    if let Some(file) = &arguments.report {
        fs::write(file, table::between_markers(&fs::read_to_string(file)?, &report)?)?;
    }
    Ok(())
}
