//! `tlsrpt check`: finds faults that keep a mail server from reporting.

mod sending;

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use tlsrpt_check::{
    Collector, Exim, Finding, LookUpTexts, MailServer, Place, Postfix, Remedy, Sender, Sendmail, Status, Visitor,
    check_dkim, check_reports, check_sendmail_socket, check_socket, check_spool, check_store, instances,
};
use tlsrpt_config::Loaded;
use tlsrpt_format::{printable, printable_json, without_error_numbers};

use crate::{
    arguments::{DEFAULT_SOCKET, Format},
    configuration::ConfigFile,
    failure::{Failure, cannot},
    output::{self, BAD, DOUBTFUL, GOOD, LABEL},
    reporting,
};

/// Finds faults that keep a mail server from reporting, and receivers from accepting its reports.
///
/// It changes nothing, and sends no event without --send. It prints one line for each check: OK, WARN or FAIL, the last two with a remedy. Exit
/// code 1 if one fails.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tlsrpt check --socket /run/tlsrpt/tlsrpt.sock
  tlsrpt check --postfix
  tlsrpt check --postfix --all-instances --quiet
  tlsrpt check --exim --send
  tlsrpt check --sendmail
  tlsrpt check --postfix --monitor
  tlsrpt check --config ./tlsrpt.toml")]
pub(crate) struct Arguments {
    /// The socket of the collector
    #[arg(long, value_name = "PATH", default_value = DEFAULT_SOCKET, conflicts_with_all = ["postfix", "exim"])]
    socket: PathBuf,
    /// Check the configuration of Postfix, which postconf prints, its processes, and the socket that it sends to
    #[arg(long)]
    postfix: bool,
    /// Check the configuration of Exim, which exim -bP prints, the module, and the socket that it sends to
    #[arg(long, conflicts_with = "postfix")]
    exim: bool,
    /// Check the configuration of Sendmail, the server of its map, and the socket
    #[arg(long, conflicts_with_all = ["postfix", "exim"])]
    sendmail: bool,
    /// Check the Postfix whose main.cf is in this folder; may be repeated
    #[arg(long, value_name = "DIR", requires = "postfix", conflicts_with = "all_instances")]
    config_dir: Vec<PathBuf>,
    /// Check all instances that postmulti knows
    #[arg(long, requires = "postfix")]
    all_instances: bool,
    /// A domain with an MTA-STS policy, for which the programs in smtp_tls_policy_maps are asked
    #[arg(long, value_name = "DOMAIN", requires = "postfix", default_value = "gmail.com")]
    sts_domain: String,
    /// Also send a test event as the mail server does, and look for it in the store of the collector
    #[arg(long)]
    send: bool,
    /// Print only what is not OK
    #[arg(long)]
    quiet: bool,
    /// For monitoring: one line that sums up comes first, and the exit code is 0 (OK), 1 (WARN) or 2 (FAIL)
    #[arg(long, conflicts_with = "format")]
    monitor: bool,
    /// Format of the output
    #[arg(long, value_name = "FORM", default_value = "text")]
    format: Format,
    #[command(flatten)]
    file: ConfigFile,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let findings = findings(&arguments);
    if arguments.monitor {
        let mut out = output::for_people();
        return match findings {
            Ok(findings) => monitor(&mut out, &findings, arguments.quiet),
            Err(failure) => monitor_failure(&mut out, &failure),
        };
    }
    let mut findings = findings?;
    let failed = worst(&findings) == Status::Fail;
    if arguments.quiet {
        findings.retain(|finding| finding.status != Status::Ok);
    }
    match arguments.format {
        Format::Text => show(&mut output::for_people(), &findings)?,
        Format::Json => show_json(&mut output::for_scripts(), &findings)?,
    }
    if failed { Err(Failure::Found) } else { Ok(()) }
}

fn findings(arguments: &Arguments) -> Result<Vec<Finding>, Failure> {
    let collector = Collector::of_host(arguments.file.named());
    let mut findings = Vec::new();
    let mut first = None;
    let mut exim = None;
    let mut senders = Vec::new();
    if arguments.postfix {
        let folders = match (arguments.all_instances, &arguments.config_dir[..]) {
            (true, _) => instances().map_err(cannot("ask postmulti"))?,
            (false, folders) => folders.to_vec(),
        };
        // The usual instance has no name.
        let asked: Vec<Option<&Path>> = match &folders[..] {
            [] => vec![None],
            folders => folders.iter().map(|folder| Some(folder.as_path())).collect(),
        };
        for folder in &asked {
            let postfix = Postfix::ask(*folder).map_err(cannot("ask postconf"))?;
            let mut of_one = postfix.check(&arguments.sts_domain, &collector);
            if asked.len() > 1 {
                let instance = folder.map(|folder| folder.display().to_string());
                of_one.iter_mut().for_each(|finding| finding.instance.clone_from(&instance));
            }
            findings.extend(of_one);
            if arguments.send {
                senders.extend(postfix.senders());
            }
            first.get_or_insert(postfix);
        }
    } else if arguments.exim {
        let asked = Exim::ask().map_err(cannot("ask exim -bP"))?;
        findings.extend(asked.check(&collector));
        senders.extend(asked.senders());
        exim = Some(asked);
    } else {
        let usual = Place::of_host(&arguments.socket);
        let (place, of_socket) = if arguments.sendmail {
            findings.extend(Sendmail::ask().map_err(cannot("read the configuration of Sendmail"))?.check());
            check_sendmail_socket(&usual, &collector)
        } else {
            let of_socket = check_socket(&usual, &Visitor::Anybody, &collector);
            (usual, of_socket)
        };
        findings.extend(of_socket);
        senders.push(Sender { place, user: None, library: None });
    }
    let senders = if arguments.send { senders } else { Vec::new() };
    let server = match (&first, &exim) {
        (Some(postfix), _) => Server::Named(MailServer::Postfix(postfix)),
        (None, Some(exim)) => Server::Named(MailServer::Exim(exim)),
        (None, None) if arguments.sendmail => Server::Unknown,
        (None, None) => Server::OfHost,
    };
    findings.extend(of_configuration(&arguments.file, server, &collector, &senders, &reporting::texts));
    Ok(findings)
}

/// The mail server that takes report mails from this host.
enum Server<'s> {
    /// It was asked.
    Named(MailServer<'s>),
    /// No mail server is checked: it is looked up, if it has to be known.
    OfHost,
    /// It is not known here whether it signs mails.
    Unknown,
}

/// Checks the store of the collector, sends events, and checks the sender of reports if a mail server is checked, and that report mails
/// are signed. Returns the errors of the configuration if it cannot be read.
fn of_configuration(
    file: &ConfigFile,
    server: Server<'_>,
    collector: &Collector,
    senders: &[Sender],
    texts: LookUpTexts<'_>,
) -> Vec<Finding> {
    match file.read() {
        Ok(Loaded { configuration, .. }) => {
            let mut findings: Vec<_> = check_store(&configuration, collector).into_iter().collect();
            findings.extend(check_spool(&configuration, collector));
            findings.extend(sending::send(senders, &configuration, collector));
            if !matches!(server, Server::OfHost) {
                findings.extend(check_reports(&configuration, collector));
            }
            let exim = match server {
                Server::OfHost if configuration.mail_dkim.key.is_none() => {
                    Exim::of_host(configuration.mail.sendmail.as_deref())
                }
                Server::OfHost | Server::Named(_) | Server::Unknown => None,
            };
            let server = match server {
                Server::Named(server) => Some(server),
                Server::OfHost | Server::Unknown => exim.as_ref().map(MailServer::Exim),
            };
            findings.extend(check_dkim(&configuration, server, collector, texts));
            findings
        }
        Err(problems) => {
            let check = collector.check_configuration();
            let failed = |line| Finding::fail("configuration", line, Remedy::after("correct the file", check.clone()));
            problems.lines().map(failed).collect()
        }
    }
}

fn worst(findings: &[Finding]) -> Status {
    findings.iter().map(|finding| finding.status).max().unwrap_or(Status::Ok)
}

/// Prints the form that monitoring plugins have: a line that sums up, then the findings.
fn monitor(out: &mut impl Write, findings: &[Finding], quiet: bool) -> Result<(), Failure> {
    let worst = worst(findings);
    let of = |status| findings.iter().filter(move |finding| finding.status == status);
    let first = of(worst).next().filter(|_| worst != Status::Ok);
    let first = first.map_or(String::new(), |finding| format!(": {}: {}", finding.check, finding.message));
    let word = match worst {
        Status::Ok => "OK",
        Status::Warn => "WARNING",
        Status::Fail => "CRITICAL",
    };
    let counts = [Status::Fail, Status::Warn, Status::Ok].map(|status| format!("{} {status}", of(status).count()));
    writeln!(out, "TLSRPT {word} - {}{}", counts.join(", "), printable(&first))?;
    let shown: Vec<_> = findings.iter().filter(|finding| !quiet || finding.status != Status::Ok).cloned().collect();
    show(out, &shown)?;
    match worst {
        Status::Ok => Ok(()),
        Status::Warn => Err(Failure::Warned),
        Status::Fail => Err(Failure::Critical),
    }
}

/// The line of a check that could not be made. Monitoring systems show standard output alone.
fn monitor_failure(out: &mut impl Write, failure: &Failure) -> Result<(), Failure> {
    let why = without_error_numbers(&failure.lines().join("; "));
    writeln!(out, "TLSRPT CRITICAL - {}", printable(&why))?;
    Err(Failure::Critical)
}

pub(crate) fn show(out: &mut impl Write, findings: &[Finding]) -> io::Result<()> {
    let mut of: Option<&str> = None;
    for Finding { status, check, instance, message, remedy } in findings {
        if instance.as_deref() != of {
            of = instance.as_deref();
            if let Some(folder) = of {
                writeln!(out, "{LABEL}{}{LABEL:#}", printable(folder))?;
            }
        }
        let colour = match status {
            Status::Ok => GOOD,
            Status::Warn => DOUBTFUL,
            Status::Fail => BAD,
        };
        write!(out, "{colour}{status:<4}{colour:#}  {check:<12}  {}", printable(message))?;
        if let Some(remedy) = remedy {
            write!(out, " {LABEL}->{LABEL:#} {}", printable(&remedy.to_string()))?;
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
