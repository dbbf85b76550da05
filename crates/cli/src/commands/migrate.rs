//! `tlsrpt migrate`: from tlsrpt-reporter to this project.

use std::{io::Write, path::PathBuf};

use tlsrpt_deliver::taken_over;
use tlsrpt_peer::{Settings, Told};
use tlsrpt_store::{ErrorKind, KeptDays, open_reader};

use crate::{
    configuration::ConfigFile,
    day::today,
    failure::Failure,
    output::{self, say},
    reporting::{self, failed},
};

/// Takes over what tlsrpt-reporter 0.6.0 has counted and not reported, and its reports that are not delivered.
///
/// The databases are only read. Both programs must be stopped. A second run changes nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tlsrpt migrate /var/lib/tlsrpt-reporter/*.sqlite /var/lib/tlsrpt-reporter/*.sqlite.yesterday
  tlsrpt migrate --unreported collectd.sqlite.yesterday")]
pub(crate) struct Arguments {
    /// Databases of tlsrpt-collectd, today's and yesterday's, and of tlsrpt-reportd
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// No tlsrpt-reportd has reported the days before today, apart from what a named database of one says
    #[arg(long)]
    unreported: bool,
    #[command(flatten)]
    file: ConfigFile,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let configuration = arguments.file.load()?.configuration;
    // A store that another user makes here could not be written by the collector.
    if let Err(error) = open_reader(&configuration.store.url) {
        if error.kind() == ErrorKind::Missing {
            return Err(failed(error));
        }
    }
    let mut store = reporting::store(&configuration)?;
    let keep_days = u32::try_from(configuration.store.keep_days).unwrap_or(u32::MAX);
    let settings = Settings { kept: KeptDays::last(keep_days, today()), unreported: arguments.unreported };
    // Counts can be taken over without the keys that reports need.
    let plan =
        reporting::identity(&configuration.report).map(|identity| reporting::settings(&configuration, &identity).plan);
    let mut take_over = |report: &_| match &plan {
        Ok(plan) => Ok(taken_over(report, plan)),
        Err(missing) => Err(tlsrpt_peer::Error::Settings(missing.to_string())),
    };
    let mut out = output::for_people();
    let (mut written, mut complete) = (Ok(()), true);
    let mut tell = |told: Told| match told {
        Told::Done(line) => written = std::mem::replace(&mut written, Ok(())).and_then(|()| writeln!(out, "{line}")),
        Told::LeftOut(line) => {
            complete = false;
            say(line);
        }
    };
    let outcome = tlsrpt_peer::migrate(&arguments.paths, store.as_mut(), settings, &mut take_over, &mut tell);
    written.and_then(|()| out.flush())?;
    outcome.map_err(failed)?;
    if complete { Ok(()) } else { Err(Failure::Found) }
}
