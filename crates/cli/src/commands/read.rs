//! `tlsrpt read`: shows reports that others sent.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use serde_json::json;
use tlsrpt_format::printable_json;
use tlsrpt_received::{Found, Item, Problem, input::find_in, text};

use crate::{arguments::Format, failure::Failure, output};

/// How many problems the JSON has at most; standard error has them all.
const MOST_PROBLEMS: usize = 1000;

/// Reads TLS reports that others sent, and says what failed where, why, and what to do about it.
///
/// A file is a report (JSON), a gzip or zip archive with reports, a mail as it came, a mailbox (mbox) or a directory with
/// mails, for instance a maildir. What it is shows its content, not its name. Exit code 1 if something cannot be read;
/// the other files are read all the same.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tlsrpt read report.json.gz
  tlsrpt read ~/Maildir
  tlsrpt read - <mail.eml")]
pub(crate) struct Arguments {
    /// Files or directories; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Format of the output
    #[arg(long, value_name = "FORM", default_value = "text")]
    format: Format,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments.format {
        Format::Text => as_text(&arguments.files),
        Format::Json => as_json(&arguments.files),
    }
}

/// What has been found so far.
#[derive(Debug, Default)]
struct Tally {
    reports: u64,
    /// Files of directories, and mails of mailboxes, without a report.
    without: u64,
    problems: Vec<Problem>,
    has_problems: bool,
    /// Standard output cannot be written to.
    broken: Option<io::Error>,
}

/// Finds all reports, and writes each when it is found: there may be many.
fn all(files: &[PathBuf], mut write: impl FnMut(&Found, u64) -> io::Result<()>) -> Result<Tally, Failure> {
    let mut tally = Tally::default();
    for file in files {
        find_in(file, &mut |item| tally.take(item, &mut write));
        if let Some(error) = tally.broken.take() {
            return Err(error.into());
        }
    }
    if tally.without > 0 {
        output::say(format_args!("{} files or mails have no TLS report", tally.without));
    }
    Ok(tally)
}

impl Tally {
    fn take(&mut self, item: Item, write: &mut impl FnMut(&Found, u64) -> io::Result<()>) {
        match item {
            Item::Report(_) if self.broken.is_some() => {}
            Item::Report(found) => {
                self.broken = write(&found, self.reports).err();
                self.reports += 1;
            }
            Item::Problem(problem) => {
                output::say(&problem);
                self.has_problems = true;
                if self.problems.len() < MOST_PROBLEMS {
                    self.problems.push(problem);
                }
            }
            Item::NoReport(_) => self.without += 1,
        }
    }

    fn outcome(&self) -> Result<(), Failure> {
        if self.has_problems { Err(Failure::Found) } else { Ok(()) }
    }
}

fn as_text(files: &[PathBuf]) -> Result<(), Failure> {
    let mut out = output::for_people();
    let tally = all(files, |found, before| {
        if before > 0 {
            writeln!(out)?;
        }
        text::found(&mut out, found)
    })?;
    out.flush()?;
    tally.outcome()
}

fn as_json(files: &[PathBuf]) -> Result<(), Failure> {
    let mut out = output::for_scripts();
    write!(out, "{{\"reports\":[")?;
    let tally = all(files, |found, before| {
        let separator = if before > 0 { "," } else { "" };
        write!(out, "{separator}\n{}", printable_json(&serde_json::to_string(found)?))
    })?;
    let problems: Vec<_> =
        tally.problems.iter().map(|problem| json!({"source": problem.place, "reason": problem.reason})).collect();
    writeln!(out, "],\n\"problems\":{}}}", printable_json(&json!(problems).to_string()))?;
    out.flush()?;
    tally.outcome()
}
