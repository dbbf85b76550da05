//! Many collectors and reporters with one PostgreSQL: the events a second, what a day takes in the database, what a large site
//! needs, and what settings of the server and partitions change. Writes the tables of docs/many-hosts.md.

mod figures;
mod growth;
mod large_site;
mod load;
mod partitions;
mod reporters;
mod sections;
mod settings;
mod site;
mod throughput;

use std::{error::Error, fs};

use clap::ValueEnum;

use crate::{
    arguments::{Many, Section},
    machine, table,
};

/// Measures the sections in turn, prints their tables, and writes the page.
pub(crate) fn measure(arguments: &Many) -> Result<(), Box<dyn Error>> {
    let command = fs::canonicalize(&arguments.command)?;
    if let Some(events) = arguments.check {
        return throughput::check(&command, events);
    }
    let machine = machine::describe("make bench-many")?;
    let head = format!("{}{}.\n", machine.trim_end_matches(".\n"), site::server_version()?);
    print!("{head}");
    let wanted = if arguments.only.is_empty() { Section::value_variants() } else { &arguments.only };
    let mut measured = String::new();
    for &section in wanted {
        // Each takes minutes, so it is printed when it is there.
        let tables = format!("\n{}", sections::measure(section, &command)?);
        print!("{tables}");
        measured.push_str(&tables);
    }
    if let Some(file) = &arguments.report {
        let page = fs::read_to_string(file)?;
        let tables = sections::replace(table::found_between_markers(&page)?, &measured);
        fs::write(file, table::between_markers(&page, &format!("{head}{tables}"))?)?;
    }
    Ok(())
}
