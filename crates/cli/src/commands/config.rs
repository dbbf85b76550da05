//! `tlsrpt config`: the configuration in force.

use std::io::Write;

use clap::ValueEnum;
use tlsrpt_config::{DEFAULT_FILE, Loaded, show::show};

use crate::{configuration::ConfigFile, failure::Failure, output};

/// Shows the configuration in force with the source of each value, or only checks it.
///
/// Every error of the file is reported with its line. Exit code 1 if there is one.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tlsrpt config
  tlsrpt config check
  tlsrpt config check --config ./tlsrpt.toml")]
pub(crate) struct Arguments {
    /// What to do
    #[arg(value_name = "ACTION", default_value = "show")]
    action: Action,
    #[command(flatten)]
    file: ConfigFile,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Action {
    /// Print every key with its value and the source of the value
    Show,
    /// Only check
    Check,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let loaded = arguments.file.read().map_err(|problems| {
        problems.lines().for_each(output::say);
        Failure::Found
    })?;
    // The text of a file, not of a message: its lines stay as they are.
    let mut out = output::standard(arguments.action == Action::Check);
    match arguments.action {
        Action::Show => out.write_all(show(&loaded).as_bytes())?,
        Action::Check => writeln!(out, "{}", all_is_well(&loaded))?,
    }
    Ok(out.flush()?)
}

fn all_is_well(loaded: &Loaded) -> String {
    match &loaded.file {
        Some(file) => format!("{}: no errors", file.display()),
        None => format!("{DEFAULT_FILE}: there is no such file; all keys have their defaults"),
    }
}
