//! The command line.

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

#[derive(Parser)]
#[command(name = "tlsrpt-bench", about = "Measures libtlsrpt beside the C library and the bare system calls")]
struct CommandLine {
    #[command(subcommand)]
    part: Part,
}

/// What to measure.
#[derive(Subcommand)]
pub(crate) enum Part {
    /// Measure everything and print the tables
    All(Arguments),
    /// Measure long strings alone and print their table
    Strings {
        /// Our shared library
        ours: PathBuf,
        /// The C library's
        reference: PathBuf,
    },
    /// Send one event many times, for callgrind; no collector is needed
    Repeat {
        /// The library to load
        library: PathBuf,
        /// Which event: 0 MTA-STS success, 1 DANE failure, 2 no policy
        event: usize,
        /// How many times
        times: usize,
    },
    /// Measure the collector beside tlsrpt-collectd and print the table
    Collect(Collecting),
    /// Measure the reporter with many domains and print the table
    Deliver(Delivering),
    /// Measure many collectors and reporters with one PostgreSQL, and print the tables
    Many(Many),
    /// Receive datagrams at a socket, discard them, then end
    Receive {
        /// The socket to make
        socket: PathBuf,
        /// How many datagrams
        events: usize,
    },
    /// Print how many blocks each event takes from malloc, from open to close
    Allocations {
        /// The library to load
        library: PathBuf,
    },
}

/// The arguments of `all`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Our shared library
    pub(crate) ours: PathBuf,
    /// The C library's
    pub(crate) reference: PathBuf,
    /// A file that shows the tables between its two markers
    #[arg(long)]
    pub(crate) report: Option<PathBuf>,
    /// Where to write the bar chart
    #[arg(long)]
    pub(crate) chart: Option<PathBuf>,
}

/// The arguments of `collect`.
#[derive(Args)]
pub(crate) struct Collecting {
    /// The program tlsrpt
    pub(crate) command: PathBuf,
    /// The Python environment with tlsrpt-collectd
    pub(crate) environment: PathBuf,
    /// A file that shows the table between its two markers
    #[arg(long)]
    pub(crate) report: Option<PathBuf>,
    /// Where to write the bar chart
    #[arg(long)]
    pub(crate) chart: Option<PathBuf>,
}

/// The arguments of `deliver`.
#[derive(Args)]
pub(crate) struct Delivering {
    /// The program tlsrpt
    pub(crate) command: PathBuf,
    /// How many domains: one table row each
    #[arg(long, value_delimiter = ',', default_value = "20000,200000")]
    pub(crate) domains: Vec<usize>,
    /// How many domains with 10,000 different failures each, the most that a report has: another table row each
    #[arg(long, value_delimiter = ',', default_value = "10")]
    pub(crate) large: Vec<usize>,
    /// Fail if the reporter takes more memory, in MiB
    #[arg(long)]
    pub(crate) most_memory: Option<u64>,
    /// A file that shows the table between its two markers
    #[arg(long)]
    pub(crate) report: Option<PathBuf>,
}

/// The arguments of `many`.
#[derive(Args)]
pub(crate) struct Many {
    /// The program tlsrpt
    pub(crate) command: PathBuf,
    /// Only check the sums of so many events
    #[arg(long, value_name = "EVENTS")]
    pub(crate) check: Option<usize>,
    /// Only measure these sections; those of the report that are not measured stay
    #[arg(long, value_delimiter = ',', conflicts_with = "check")]
    pub(crate) only: Vec<Section>,
    /// A file that shows the tables between its two markers
    #[arg(long, conflicts_with = "check")]
    pub(crate) report: Option<PathBuf>,
}

/// A part of the measurements of `many`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Section {
    /// 1, 4 and 16 collectors
    Throughput,
    /// Reporters that share the reports of a day
    Reporters,
    /// What a day takes in the database, and what a large site needs by that
    Growth,
    /// The load of a large site
    LargeSite,
    /// Settings of the server
    Settings,
    /// Partitions by day
    Partitions,
}

pub(crate) fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Part, clap::Error> {
    let name = std::iter::once(OsString::from("tlsrpt-bench"));
    CommandLine::try_parse_from(name.chain(arguments)).map(|line| line.part)
}
