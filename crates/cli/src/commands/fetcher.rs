//! `tlsrpt fetcher`: what tlsrpt-fetcher answers, out of our store.

use std::io::Write;

use jiff::{Timestamp, civil::Date};
use tlsrpt_format::printable;
use tlsrpt_peer::{Error, fetcher};
use tlsrpt_store::open_reader;

use crate::{
    configuration::ConfigFile,
    failure::Failure,
    output::{self, say},
    reporting::failed,
};

/// Answers tlsrpt-reportd 0.6.0 in the place of tlsrpt-fetcher: the domains of a day, or the counts of one.
///
/// It only reads the store. It refuses while this host makes reports itself, because each would be sent twice.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tlsrpt fetcher 2026-11-24
  tlsrpt fetcher 2026-11-24 example.org

In the configuration of tlsrpt-reportd:
  fetchers = tlsrpt fetcher, ssh mx2.example.com tlsrpt fetcher")]
pub(crate) struct Arguments {
    /// The day, in UTC
    day: Date,
    /// The domain; without it, all domains of the day are listed
    domain: Option<String>,
    #[command(flatten)]
    file: ConfigFile,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let configuration = arguments.file.load()?.configuration;
    let mut store = open_reader(&configuration.store.url).map_err(failed)?;
    let mut out = output::for_scripts();
    match &arguments.domain {
        Some(name) => {
            let left_out = fetcher::domain(store.as_mut(), arguments.day, name, &mut out).map_err(failure)?;
            if left_out > 0 {
                let name = printable(name);
                say(format_args!(
                    "left out: {left_out} sessions of {name} under policies over the limit, without a record"
                ));
            }
        }
        None => {
            let now = Timestamp::now();
            for (name, events) in fetcher::domains(store.as_mut(), arguments.day, now, &mut out).map_err(failure)? {
                say(format_args!(
                    "left out: {events} events of \"{}\", which the protocol cannot name",
                    printable(&name)
                ));
            }
        }
    }
    Ok(out.flush()?)
}

fn failure(error: Error) -> Failure {
    match error {
        Error::Output(error) => Failure::Output(error),
        other => failed(other),
    }
}
