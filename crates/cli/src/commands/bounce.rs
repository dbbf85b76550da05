//! `tlsrpt bounce`: reads a bounce of a report mail.

use std::{env, io::Read};

use jiff::Timestamp;
use tlsrpt_deliver::bounce::{LONGEST_MAIL, Returned, read, suppression};

use crate::{
    attempt::{again, apart},
    configuration::ConfigFile,
    failure::Failure,
    output::say,
    reporting::{self, failed},
};

/// Reads a bounce of a report mail on standard input, and suppresses the destination for some days.
///
/// The mail server starts it, as the user of the services, for mails to the address that receives bounces. The first bounce
/// suppresses the destination for a day, each further one twice as long, up to 32 days. If that is not possible now, the
/// exit code is 75, and the mail server tries again later.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example, a transport in Postfix's master.cf:
  tlsrpt-bounces unix - n n - 1 pipe flags=R user=tlsrpt argv=/usr/bin/tlsrpt bounce")]
pub(crate) struct Arguments {
    #[command(flatten)]
    file: ConfigFile,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    // Any other failing exit code makes the mail server drop the bounce.
    apart(|| take(arguments).map_err(again))
}

fn take(arguments: Arguments) -> Result<(), Failure> {
    let configuration = arguments.file.load()?.configuration;
    let bounces = reporting::bounces(&configuration, &reporting::identity(&configuration.report)?)?;
    let mut mail = Vec::new();
    let mut input = std::io::stdin().lock().take(LONGEST_MAIL as u64);
    input.read_to_end(&mut mail).map_err(|error| Failure::Failed(format!("cannot read standard input: {error}")))?;
    // The variables in which Postfix, Exim and Sendmail pass the recipient to a pipe.
    let recipient = ["ORIGINAL_RECIPIENT", "RECIPIENT", "LOCAL_PART"].iter().find_map(|name| env::var(name).ok());
    match read(&mail, recipient.as_deref(), &bounces) {
        Returned::Failed { delivery, token, reason } => suppress(&configuration, delivery, token, &reason),
        // The command succeeds for other mails: a failing pipe makes the mail server send a bounce.
        Returned::NoFailure => suppress_nothing("it is not a notice of failure"),
        Returned::Unknown => suppress_nothing("it names no delivery"),
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
        return suppress_nothing("it names a delivery that is not in the store");
    };
    let earlier = store.suppression(&delivery.destination).map_err(failed)?;
    match suppression(&delivery, reason, earlier.as_ref(), Timestamp::now()) {
        Some(entry) => store.suppress(&entry).map_err(failed),
        None => Ok(()),
    }
}

fn suppress_nothing(why: &str) -> Result<(), Failure> {
    say(format_args!("the mail suppresses no destination: {why}"));
    Ok(())
}
