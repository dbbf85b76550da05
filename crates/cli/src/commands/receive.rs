//! `tlsrpt receive`: keeps the reports that others send.

use std::io;

use jiff::{Timestamp, ToSpan};
use tlsrpt_config::Configuration;
use tlsrpt_format::printable;
use tlsrpt_received::{
    Found, Item, Problem,
    dkim::{self, Verdict},
    find,
    input::read_limited,
    keeping::to_keep,
};
use tlsrpt_store::{Kept, Limits, Options, ReceivedLimits, ReceivedStore, open_received};

use crate::{
    attempt::{again, apart},
    configuration::{ConfigFile, synchronous},
    failure::Failure,
    output::say,
    reporting::{failed, texts},
};

/// The most reports that one mail may bring.
const MOST: usize = 100;
/// How many problems of a mail are told. The mail server may return their text to the sender.
const MOST_TOLD: usize = 3;

/// Keeps the reports in a mail, or in any file that `tlsrpt read` takes, on standard input.
///
/// The mail server starts it, as the user of the services, for mails to the address in rua= of the domain's TLSRPT record.
/// Each report is kept once. Exit code 0 also for a mail without a report; 65 for a report that cannot be read; 77 for a mail
/// that --dkim=require refuses; 75 for anything that is wrong with this host, and the mail server tries again.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A transport in Postfix's master.cf:
  tlsrpt-receive unix - n n - 1 pipe user=tlsrpt argv=/usr/bin/tlsrpt receive

Example:
  tlsrpt receive <mail.eml")]
pub(crate) struct Arguments {
    /// Verify the DKIM signature of the mail: check keeps what it says with the report, require refuses mails without a valid one
    #[arg(long, value_name = "MODE", num_args = 0..=1, require_equals = true, default_missing_value = "check")]
    dkim: Option<Mode>,
    #[command(flatten)]
    file: ConfigFile,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Mode {
    Check,
    Require,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    apart(|| receive(&arguments))
}

fn receive(arguments: &Arguments) -> Result<(), Failure> {
    let input = match read_limited(io::stdin().lock()) {
        Ok(input) => input,
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => return Err(Failure::Data(error.to_string())),
        Err(error) => return Err(again(Failure::Failed(format!("cannot read standard input: {error}")))),
    };
    let (reports, problems) = search(&input);
    if let Some(of_host) = problems.of_host {
        return Err(again(Failure::Failed(of_host)));
    }
    if reports.is_empty() && problems.number == 0 {
        // A failing exit code would return the mail, which may be a notice of absence or spam with a false sender.
        say("the mail has no TLS report");
        return Ok(());
    }
    if !reports.is_empty() {
        let signature = signature(&input, arguments.dkim)?;
        let configuration = arguments.file.load().map_err(again)?.configuration;
        keep_all(&configuration, &reports, &signature).map_err(again)?;
    }
    if problems.number == 0 { Ok(()) } else { Err(Failure::Data(problems.in_words())) }
}

/// What cannot be read.
#[derive(Debug, Default)]
struct Problems {
    number: usize,
    /// At most [`MOST_TOLD`].
    first: Vec<String>,
    /// One that another attempt may not have.
    of_host: Option<String>,
}

impl Problems {
    fn add(&mut self, problem: &Problem) {
        if problem.is_of_host {
            self.of_host = Some(problem.to_string());
        }
        self.number += 1;
        if self.first.len() < MOST_TOLD {
            self.first.push(problem.to_string());
        }
    }

    fn in_words(&self) -> String {
        let told = self.first.join("; ");
        match self.number - self.first.len() {
            0 => told,
            more => format!("{told}; and {more} others"),
        }
    }
}

fn search(input: &[u8]) -> (Vec<Found>, Problems) {
    let (mut reports, mut problems) = (Vec::new(), Problems::default());
    find(input, "standard input", &mut |item| match item {
        Item::Report(found) if reports.len() < MOST => reports.push(*found),
        Item::Report(found) => {
            let reason = format!("the mail has more than {MOST} reports");
            problems.add(&Problem::new(&found.place, reason));
        }
        Item::Problem(problem) => problems.add(&problem),
        Item::NoReport(_) => {}
    });
    (reports, problems)
}

/// What the signature says, in words. Empty if nobody asks.
fn signature(mail: &[u8], mode: Option<Mode>) -> Result<String, Failure> {
    let Some(mode) = mode else { return Ok(String::new()) };
    match dkim::verify(mail, Timestamp::now(), &texts) {
        verdict @ Verdict::Passed { .. } => Ok(verdict.to_string()),
        verdict @ Verdict::NotNow(_) => Err(again(Failure::Failed(verdict.to_string()))),
        verdict if mode == Mode::Require => {
            Err(Failure::Refused(format!("the report is refused: {verdict}; --dkim=require takes only signed reports")))
        }
        verdict => Ok(verdict.to_string()),
    }
}

fn keep_all(configuration: &Configuration, reports: &[Found], signature: &str) -> Result<(), Failure> {
    let limits = Limits { size: configuration.store.max_size, ..Limits::default() };
    let options = Options { limits, synchronous: synchronous(configuration) };
    let mut store = open_received(&configuration.store.url, options).map_err(failed)?;
    let now = Timestamp::now();
    let first = now.checked_sub(hours_of(configuration.received.keep_days)).map_err(failed)?;
    store.purge_received(first).map_err(failed)?;
    reports.iter().try_for_each(|found| keep(configuration, store.as_mut(), found, signature, now))
}

/// Days may have other lengths in a calendar.
fn hours_of(days: u64) -> jiff::Span {
    i64::try_from(days).unwrap_or(i64::MAX).saturating_mul(24).hours()
}

fn keep(
    configuration: &Configuration,
    store: &mut dyn ReceivedStore,
    found: &Found,
    signature: &str,
    now: Timestamp,
) -> Result<(), Failure> {
    let received = &configuration.received;
    let limits = ReceivedLimits { reports: received.max_reports, bytes: received.max_size };
    let report = to_keep(found, signature.into(), now);
    let name = format!("the report {} of {}", printable(&report.report_id), printable(&report.organization));
    match store.keep_received(&report, limits).map_err(failed)? {
        Kept::New => {}
        Kept::Again => say(format_args!("{name} is kept already")),
        Kept::Beside => say(format_args!("{name} is kept beside another with the same id and other content")),
        Kept::Full => {
            let text = format!(
                "{name} is not kept: max-reports or max-size in [received], or max-size in [store], is reached; raise it, \
                 or lower keep-days in [received]"
            );
            return Err(Failure::Failed(text));
        }
    }
    Ok(())
}
