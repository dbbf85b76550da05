//! `tlsrpt read`: shows reports that others sent.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use jiff::Timestamp;
use serde_json::json;
use tlsrpt_format::printable_json;
use tlsrpt_pages::{ReadReports, read_reports};
use tlsrpt_received::{Found, Item, Problem, input::find_in, text};

use crate::{arguments::PageFormat, failure::Failure, output, output_file};

/// How many problems the JSON has at most; standard error has them all.
const MOST_PROBLEMS: usize = 1000;
/// How many reports a page has at most.
const MOST_ON_A_PAGE: usize = 100;

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
  tlsrpt read --format html --output reports.html ~/Maildir
  tlsrpt read - <mail.eml")]
pub(crate) struct Arguments {
    /// Files or directories; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Format of the output
    #[arg(long, value_name = "FORM", default_value = "text")]
    format: PageFormat,
    /// Write to this file instead of standard output; it is replaced in one step
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { files, format, output: file } = arguments;
    let standard = output::standard(format == PageFormat::Text);
    let mut tally = Tally::default();
    output_file::to(file.as_deref(), standard, |out| match format {
        PageFormat::Text => tally.as_text(&files, out),
        PageFormat::Json => tally.as_json(&files, out),
        PageFormat::Html => tally.as_page(&files, out),
    })?;
    tally.outcome()
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

impl Tally {
    /// Finds all reports, and writes each when it is found: there may be many.
    fn all(&mut self, files: &[PathBuf], mut write: impl FnMut(Box<Found>, u64) -> io::Result<()>) -> io::Result<()> {
        for file in files {
            find_in(file, &mut |item| self.take(item, &mut write));
            if let Some(error) = self.broken.take() {
                return Err(error);
            }
        }
        if self.without > 0 {
            output::say(format_args!("{} files or mails have no TLS report", self.without));
        }
        Ok(())
    }

    fn take(&mut self, item: Item, write: &mut impl FnMut(Box<Found>, u64) -> io::Result<()>) {
        match item {
            Item::Report(_) if self.broken.is_some() => {}
            Item::Report(found) => {
                self.broken = write(found, self.reports).err();
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

    fn as_text(&mut self, files: &[PathBuf], out: &mut dyn Write) -> io::Result<()> {
        self.all(files, |found, before| {
            if before > 0 {
                writeln!(out)?;
            }
            text::found(&mut &mut *out, &found)
        })
    }

    fn as_json(&mut self, files: &[PathBuf], out: &mut dyn Write) -> io::Result<()> {
        write!(out, "{{\"reports\":[")?;
        self.all(files, |found, before| {
            let separator = if before > 0 { "," } else { "" };
            write!(out, "{separator}\n{}", printable_json(&serde_json::to_string(&found)?))
        })?;
        let problems: Vec<_> =
            self.problems.iter().map(|problem| json!({"source": problem.place, "reason": problem.reason})).collect();
        writeln!(out, "],\n\"problems\":{}}}", printable_json(&json!(problems).to_string()))
    }

    fn as_page(&mut self, files: &[PathBuf], out: &mut dyn Write) -> io::Result<()> {
        let mut reports = Vec::new();
        let mut left_out = 0;
        self.all(files, |found, _| {
            if reports.len() < MOST_ON_A_PAGE {
                // The page does not have the JSON text.
                reports.push(Found { json: Vec::new(), ..*found });
            } else {
                left_out += 1;
            }
            Ok(())
        })?;
        let (reports, problems) = (reports.as_slice(), self.problems.as_slice());
        let page = ReadReports { reports, left_out, problems, now: Timestamp::now() };
        out.write_all(read_reports(page).as_bytes())
    }
}
