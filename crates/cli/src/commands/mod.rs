//! The subcommands: one file each, with its arguments and what it does.

pub(crate) mod bounce;
pub(crate) mod check;
pub(crate) mod collect;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod deliver;
pub(crate) mod library_version;
pub(crate) mod listen;
pub(crate) mod record;
pub(crate) mod reports;
pub(crate) mod send;
pub(crate) mod sendmail_map;
pub(crate) mod status;
pub(crate) mod suppress;

use crate::{arguments::Command, failure::Failure};

pub(crate) fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Listen(arguments) => listen::run(arguments),
        Command::Send(arguments) => send::run(arguments),
        Command::Check(arguments) => check::run(arguments),
        Command::Collect(arguments) => collect::run(arguments),
        Command::Record(arguments) => record::run(arguments),
        Command::SendmailMap(arguments) => sendmail_map::run(arguments),
        Command::Status(arguments) => status::run(arguments),
        Command::Config(arguments) => config::run(arguments),
        Command::Deliver(arguments) => deliver::run(arguments),
        Command::Reports(arguments) => reports::run(arguments),
        Command::Suppress(arguments) => suppress::run(arguments),
        Command::Bounce(arguments) => bounce::run(arguments),
        Command::Completions(arguments) => completions::run(arguments),
        Command::LibraryVersion(arguments) => library_version::run(arguments),
    }
}
