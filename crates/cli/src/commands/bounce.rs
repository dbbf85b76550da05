//! `tlsrpt bounce`: reads a report mail that came back.

use std::{env, io::Read};

use jiff::Timestamp;
use tlsrpt_deliver::bounce::{LONGEST_MAIL, Returned, read, suppression};

use crate::{
    configuration::ConfigFile,
    failure::Failure,
    output::say,
    reporting::{self, failed},
};

/// Reads a returned report mail on standard input, and sends no reports to that destination for some days.
///
/// For the alias of the address that bounces go to. The first bounce suppresses the destination for a day, each further one twice as
/// long, up to 32 days.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example, in the table of aliases:
  tlsrpt-bounces: \"|/usr/bin/tlsrpt bounce\"")]
pub(crate) struct Arguments {
    #[command(flatten)]
    file: ConfigFile,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let configuration = arguments.file.load()?.configuration;
    let bounces = reporting::bounces(&configuration, &reporting::identity(&configuration.report)?)?;
    let mut mail = Vec::new();
    let mut input = std::io::stdin().lock().take(LONGEST_MAIL as u64);
    input.read_to_end(&mut mail).map_err(|error| Failure::Failed(format!("cannot read standard input: {error}")))?;
    // What Postfix, Exim and Sendmail pass to a pipe.
    let recipient = ["ORIGINAL_RECIPIENT", "RECIPIENT", "LOCAL_PART"].iter().find_map(|name| env::var(name).ok());
    match read(&mail, recipient.as_deref(), &bounces) {
        Returned::Failed { delivery, token, reason } => suppress(&configuration, delivery, token, &reason),
        // A mail that is no bounce must not make another one: the pipe succeeds.
        Returned::NoFailure => nothing_changes("it is not a notice of failure"),
        Returned::Unknown => nothing_changes("it names no delivery"),
    }
}

fn suppress(
    configuration: &tlsrpt_config::Configuration,
    delivery: i64,
    token: u32,
    reason: &str,
) -> Result<(), Failure> {
    let mut store = reporting::store(configuration)?;
    let delivery = store.delivery(delivery).map_err(failed)?.filter(|found| found.token == token);
    let Some(delivery) = delivery else {
        return nothing_changes("it names a delivery that is not in the store");
    };
    let earlier = store.suppression(&delivery.destination).map_err(failed)?;
    match suppression(&delivery, reason, earlier.as_ref(), Timestamp::now()) {
        Some(entry) => store.suppress(&entry).map_err(failed),
        None => Ok(()),
    }
}

fn nothing_changes(why: &str) -> Result<(), Failure> {
    say(format_args!("the mail suppresses no destination: {why}"));
    Ok(())
}
