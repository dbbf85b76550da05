//! Measures the shared library beside the C library and the bare system calls, the collector beside tlsrpt-collectd,
//! the reporter with many domains, and many collectors with one PostgreSQL. Writes the tables and charts of
//! docs/performance.md, docs/collecting.md, docs/delivering.md, docs/many-hosts.md.
//!
//! `make bench`, `make bench-collect`, `make bench-deliver` and `make bench-many` run it; `tlsrpt-bench --help` lists its
//! parts.

mod allocations;
mod arguments;
mod bare;
mod chart;
mod collecting;
mod collector;
mod delivering;
mod event;
mod events;
mod floor;
mod growth;
mod library;
mod longest;
mod machine;
mod many;
mod measure;
mod startup;
mod strings;
mod table;
mod threads;

use std::{error::Error, fs, process::ExitCode};

use arguments::{Arguments, Part};
use library::Library;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tlsrpt-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    match arguments::parse(std::env::args_os().skip(1))? {
        Part::All(arguments) => all(&arguments),
        Part::Strings { ours, reference } => {
            measure::keep_memory();
            print!("{}", strings::compare(&Library::load(&ours)?, &Library::load(&reference)?)?);
            Ok(())
        }
        Part::Repeat { library, event, times } => events::repeat(&Library::load(&library)?, event, times),
        Part::Collect(arguments) => collecting::compare(&arguments),
        Part::Deliver(arguments) => delivering::measure(&arguments),
        Part::Many(arguments) => many::measure(&arguments),
        Part::Receive { socket, events } => Ok(collecting::receive(&socket, events)?),
        Part::Allocations { library } => allocations::print(&Library::load(&library)?),
    }
}

fn all(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    measure::keep_memory();
    let ours = Library::load(&arguments.ours)?;
    let theirs = Library::load(&arguments.reference)?;
    let (table, bars) = events::compare(&ours, &theirs)?;
    let sections = [
        machine::describe("make bench")?,
        table,
        floor::measure(),
        allocations::compare(&ours, &theirs)?,
        growth::compare(&ours, &theirs)?,
        strings::compare(&ours, &theirs)?,
        threads::compare(&ours)?,
        longest::compare(&ours, &theirs)?,
        startup::compare(arguments)?,
    ];
    let report = sections.join("\n");
    print!("{report}");
    if let Some(file) = &arguments.report {
        let text = fs::read_to_string(file)?;
        fs::write(file, table::between_markers(&text, &report)?)?;
    }
    if let Some(file) = &arguments.chart {
        fs::write(file, chart::svg(&bars))?;
    }
    Ok(())
}
