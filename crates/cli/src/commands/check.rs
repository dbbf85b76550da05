//! `tlsrpt check`: finds faults that keep a mail server from reporting.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use tlsrpt_format::{printable, printable_json};

use crate::{
    arguments::{DEFAULT_SOCKET, Format},
    check::{Finding, LookUpTexts, Place, Postfix, Status, Visitor, check_dkim, check_socket},
    configuration::ConfigFile,
    failure::{Failure, cannot},
    output::{self, BAD, DOUBTFUL, GOOD, LABEL},
    reporting,
};

/// Finds faults that keep a mail server from reporting, and receivers from accepting its reports.
///
/// It sends nothing. It prints one line for each check: OK, WARN or FAIL, the last two with a remedy. Exit code 1 if
/// one fails.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tlsrpt check --socket /run/tlsrpt/tlsrpt.sock
  tlsrpt check --postfix --format json
  tlsrpt check --config ./tlsrpt.toml")]
pub(crate) struct Arguments {
    /// The socket of the collector
    #[arg(long, value_name = "PATH", default_value = DEFAULT_SOCKET, conflicts_with = "postfix")]
    socket: PathBuf,
    /// Check the configuration of Postfix, which postconf prints, and the socket in it
    #[arg(long)]
    postfix: bool,
    /// Format of the output
    #[arg(long, value_name = "FORM", default_value = "text")]
    format: Format,
    #[command(flatten)]
    file: ConfigFile,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let postfix = if arguments.postfix { Some(Postfix::ask().map_err(cannot("ask postconf"))?) } else { None };
    let mut findings = match &postfix {
        Some(postfix) => postfix.check(),
        None => check_socket(&Place { name: arguments.socket, from: None }, &Visitor::Anybody),
    };
    findings.extend(signatures(&arguments.file, postfix.as_ref(), &reporting::texts));
    match arguments.format {
        Format::Text => show(&mut output::for_people(), &findings)?,
        Format::Json => show_json(&mut output::for_scripts(), &findings)?,
    }
    if findings.iter().any(|finding| finding.status == Status::Fail) { Err(Failure::Found) } else { Ok(()) }
}

/// Checks that report mails are signed. Returns the errors of the configuration if it cannot be read.
fn signatures(file: &ConfigFile, postfix: Option<&Postfix>, texts: LookUpTexts<'_>) -> Vec<Finding> {
    match file.read() {
        Ok(loaded) => check_dkim(&loaded.configuration, postfix, texts),
        Err(problems) => {
            let failed = |line| Finding::fail("configuration", line, "correct the file; see tlsrpt config check");
            problems.lines().map(failed).collect()
        }
    }
}

fn show(out: &mut impl Write, findings: &[Finding]) -> io::Result<()> {
    for Finding { status, check, message, remedy } in findings {
        let colour = match status {
            Status::Ok => GOOD,
            Status::Warn => DOUBTFUL,
            Status::Fail => BAD,
        };
        write!(out, "{colour}{status:<4}{colour:#}  {check:<12}  {}", printable(message))?;
        if let Some(remedy) = remedy {
            write!(out, " {LABEL}->{LABEL:#} {}", printable(remedy))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn show_json(out: &mut impl Write, findings: &[Finding]) -> io::Result<()> {
    for finding in findings {
        let finding = serde_json::to_string(finding)?;
        writeln!(out, "{}", printable_json(&finding))?;
    }
    out.flush()
}
