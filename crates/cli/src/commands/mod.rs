//! The subcommands. Each has a file with its arguments and its code.

pub(crate) mod bounce;
pub(crate) mod check;
pub(crate) mod collect;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod deliver;
pub(crate) mod fetcher;
pub(crate) mod hosts;
pub(crate) mod library_version;
pub(crate) mod listen;
pub(crate) mod migrate;
pub(crate) mod read;
pub(crate) mod receive;
pub(crate) mod received;
pub(crate) mod record;
pub(crate) mod reports;
pub(crate) mod send;
pub(crate) mod sendmail_map;
pub(crate) mod serve;
pub(crate) mod status;
pub(crate) mod suppress;
pub(crate) mod test_event;

use clap::Subcommand;

use crate::failure::Failure;

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Listen(listen::Arguments),
    Send(send::Arguments),
    Check(check::Arguments),
    Collect(collect::Arguments),
    Record(record::Arguments),
    Read(read::Arguments),
    Receive(receive::Arguments),
    Received(received::Arguments),
    SendmailMap(sendmail_map::Arguments),
    Status(status::Arguments),
    Config(config::Arguments),
    Deliver(deliver::Arguments),
    Serve(serve::Arguments),
    Reports(reports::Arguments),
    Suppress(suppress::Arguments),
    Hosts(hosts::Arguments),
    Bounce(bounce::Arguments),
    Migrate(migrate::Arguments),
    Fetcher(fetcher::Arguments),
    #[command(hide = true)]
    Completions(completions::Arguments),
    #[command(hide = true)]
    LibraryVersion(library_version::Arguments),
    #[command(hide = true)]
    TestEvent(test_event::Arguments),
}

/// Runs a subcommand. `definition` is the whole command line, for completions.
pub(crate) fn run(command: Command, definition: fn() -> clap::Command) -> Result<(), Failure> {
    match command {
        Command::Listen(arguments) => listen::run(arguments),
        Command::Send(arguments) => send::run(arguments),
        Command::Check(arguments) => check::run(arguments),
        Command::Collect(arguments) => collect::run(arguments),
        Command::Record(arguments) => record::run(arguments),
        Command::Read(arguments) => read::run(arguments),
        Command::Receive(arguments) => receive::run(arguments),
        Command::Received(arguments) => received::run(arguments),
        Command::SendmailMap(arguments) => sendmail_map::run(arguments),
        Command::Status(arguments) => status::run(arguments),
        Command::Config(arguments) => config::run(arguments),
        Command::Deliver(arguments) => deliver::run(arguments),
        Command::Serve(arguments) => serve::run(arguments),
        Command::Reports(arguments) => reports::run(arguments),
        Command::Suppress(arguments) => suppress::run(arguments),
        Command::Hosts(arguments) => hosts::run(arguments),
        Command::Bounce(arguments) => bounce::run(arguments),
        Command::Migrate(arguments) => migrate::run(arguments),
        Command::Fetcher(arguments) => fetcher::run(arguments),
        Command::Completions(arguments) => completions::run(arguments, definition()),
        Command::LibraryVersion(arguments) => library_version::run(arguments),
        Command::TestEvent(arguments) => test_event::run(&arguments),
    }
}
