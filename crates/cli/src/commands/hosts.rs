//! `tlsrpt hosts`: the mail hosts that share a store.

use std::io::Write;

use tlsrpt_format::printable;
use tlsrpt_status::hosts::in_words;
use tlsrpt_store::{Url, open_reader};

use crate::{
    configuration::ConfigFile,
    failure::Failure,
    output,
    reporting::{self, failed},
};

/// Lists the mail hosts that share the store, or forgets one that is gone.
///
/// The reports of a day wait for each host of the list, for at most `grace` in [report]. A collector adds its host to the
/// list by itself.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "\
Examples:
  tlsrpt hosts
  tlsrpt hosts forget mx3.example.com")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    file: ConfigFile,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List the hosts: when each was seen last, its last batch, what waits on it, and its clock (the default)
    List {
        #[command(flatten)]
        file: ConfigFile,
    },
    /// Forget a host that is gone for good, so that no report waits for it
    Forget {
        /// Its name in the list
        name: String,
        #[command(flatten)]
        file: ConfigFile,
    },
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments.action {
        None => list(&arguments.file),
        Some(Action::List { file }) => list(&file),
        Some(Action::Forget { name, file }) => {
            let configuration = file.load()?.configuration;
            check_that_hosts_share_it(&configuration.store.url)?;
            if reporting::store(&configuration)?.forget_host(&name).map_err(failed)? {
                return Ok(());
            }
            Err(Failure::Failed(format!("{} is not on the list; see tlsrpt hosts", printable(&name))))
        }
    }
}

fn list(file: &ConfigFile) -> Result<(), Failure> {
    let url = file.load()?.configuration.store.url;
    check_that_hosts_share_it(&url)?;
    let hosts = open_reader(&url).and_then(|mut store| store.hosts()).map_err(failed)?;
    let mut out = output::for_people();
    hosts.iter().try_for_each(|host| writeln!(out, "{}", in_words(host)))?;
    Ok(out.flush()?)
}

fn check_that_hosts_share_it(url: &Url) -> Result<(), Failure> {
    match url {
        Url::Postgresql(_) => Ok(()),
        Url::Sqlite(_) => Err(Failure::Failed(format!(
            "{}: the store of this host alone; hosts share a store with a url such as postgresql://HOST/DATABASE",
            printable(&url.to_string())
        ))),
    }
}
