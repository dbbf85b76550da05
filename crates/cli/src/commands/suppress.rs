//! `tlsrpt suppress`: the destinations and domains that get no reports.

use std::io::Write;

use jiff::{Timestamp, tz::TimeZone};
use tlsrpt_deliver::Destination;
use tlsrpt_format::{datagram::normalized_domain, printable};
use tlsrpt_store::Suppression;

use crate::{
    configuration::ConfigFile,
    day::Day,
    failure::Failure,
    output,
    reporting::{self, failed},
};

/// Suppresses reports to an address, a URL or a domain, or lists the suppressions.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tlsrpt suppress add reports@example.org --until 2026-12-31 --reason 'asked by mail'
  tlsrpt suppress list
  tlsrpt suppress remove reports@example.org")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Send no reports to a target
    Add {
        /// A mail address, an https URL, or a domain
        target: String,
        /// The first day on which reports are sent there again; without it, never
        #[arg(long, value_name = "DAY")]
        until: Option<Day>,
        /// The reason, which `list` and `tlsrpt reports` show
        #[arg(long, value_name = "TEXT", default_value = "suppressed by the operator")]
        reason: String,
        #[command(flatten)]
        file: ConfigFile,
    },
    /// Send reports to a target again
    Remove {
        /// A mail address, an https URL, or a domain
        target: String,
        #[command(flatten)]
        file: ConfigFile,
    },
    /// List the targets that get no reports
    List {
        #[command(flatten)]
        file: ConfigFile,
    },
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments.action {
        Action::Add { target, until, reason, file } => {
            let mut store = reporting::store(&file.load()?.configuration)?;
            let until = until.and_then(|Day(day)| day.to_zoned(TimeZone::UTC).ok()).map(|day| day.timestamp());
            store.suppress(&Suppression { target: canonical(&target)?, until, days: None, reason }).map_err(failed)
        }
        Action::Remove { target, file } => {
            let mut store = reporting::store(&file.load()?.configuration)?;
            if store.end_suppression(&canonical(&target)?).map_err(failed)? {
                return Ok(());
            }
            Err(Failure::Failed(format!("{} is not on the list; see tlsrpt suppress list", printable(&target))))
        }
        Action::List { file } => list(&file),
    }
}

fn list(file: &ConfigFile) -> Result<(), Failure> {
    let mut store = reporting::store(&file.load()?.configuration)?;
    let mut out = output::for_people();
    for Suppression { target, until, reason, .. } in store.suppressions().map_err(failed)? {
        let until = match until {
            Some(until) if until <= Timestamp::now() => continue,
            Some(until) => format!("until {until:.0}"),
            None => "for ever".into(),
        };
        writeln!(out, "{}  {until}: {}", printable(&target), printable(&reason))?;
    }
    Ok(out.flush()?)
}

/// The normal form of the target, which is its key in the store.
fn canonical(target: &str) -> Result<String, Failure> {
    let wrong = |why: String| Failure::BadUse(format!("{}: {why}", printable(target)));
    if target.contains('@') && !target.contains(':') {
        return Destination::parse(&format!("mailto:{target}"))
            .map(|to| to.to_string())
            .map_err(|why| wrong(why.to_string()));
    }
    if target.contains(':') {
        return Destination::parse(target).map(|to| to.to_string()).map_err(|why| wrong(why.to_string()));
    }
    if target.contains('.') && !target.contains(char::is_whitespace) {
        return Ok(normalized_domain(target));
    }
    Err(wrong("neither a mail address, nor an https URL, nor a domain".into()))
}
