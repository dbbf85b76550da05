//! `tlsrpt check --send`: sends a test event as the mail server does, and looks for it in the store of the collector.

use std::{
    collections::BTreeSet,
    env,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use jiff::civil::Date;
use nix::unistd::geteuid;
use tlsrpt_check::{Collector, Finding, Remedy, Sender};
use tlsrpt_config::Configuration;
use tlsrpt_format::TEST_DOMAIN;
use tlsrpt_store::{Error, ErrorKind, open_reader};

use crate::day::today;

/// The command that shows the log of the collector.
const LOG: &str = "journalctl -u tlsrpt-collect -n 20";
const SENT: &str = "sent";
const STORED: &str = "stored";
/// The hidden subcommand that sends it.
const SUBCOMMAND: &str = "test-event";
/// How long the event may take to the store.
const LONGEST: Duration = Duration::from_secs(8);
/// How often the store is read.
const STEP: Duration = Duration::from_millis(100);

/// Sends an event by each way, and says where it got.
pub(super) fn send(senders: &[Sender], configuration: &Configuration, collector: &Collector) -> Vec<Finding> {
    if senders.is_empty() {
        return Vec::new();
    }
    let before = stored(configuration, today());
    let mut findings: Vec<_> = senders.iter().map(|sender| send_by(sender).unwrap_or_else(|failed| failed)).collect();
    let sent = findings.iter().filter(|finding| finding.remedy.is_none()).count();
    if sent > 0 {
        findings.push(find(configuration, collector, before, u64::try_from(sent).unwrap_or(u64::MAX)));
    }
    findings
}

/// Sends one in a separate process, which becomes the user of the mail server.
fn send_by(sender: &Sender) -> Result<Finding, Finding> {
    let failed = |why: String| {
        let path = sender.place.path();
        let remedy = Remedy::after("the other checks may say more, and the log of the collector", LOG);
        Finding::fail(SENT, format!("the test event was not sent to {}: {why}", path.display()), remedy)
    };
    let this = env::current_exe().map_err(|error| failed(error.to_string()))?;
    let mut command = Command::new(this);
    if let Some(directory) = sender.place.directory() {
        command.current_dir(directory);
    }
    command.arg(SUBCOMMAND).stdin(Stdio::null());
    if let Some(chroot) = sender.place.chroot().filter(|_| geteuid().is_root()) {
        command.arg("--root").arg(chroot);
    }
    if let Some(user) = &sender.user {
        command.args(["--user", user]);
    }
    if let Some(library) = &sender.library {
        command.arg("--library").arg(library);
    }
    let output =
        command.arg("--").arg(sender.place.name_in_directory()).output().map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(failed(why.trim().trim_start_matches(crate::output::MESSAGE_PREFIX).to_owned()));
    }
    let by = sender.library.as_deref().map_or(String::new(), |library: &Path| format!(", by {}", library.display()));
    let user = sender.user.as_ref().filter(|_| geteuid().is_root());
    let user = user.map_or(String::new(), |user| format!(" as the user {user}"));
    let path = sender.place.path();
    Ok(Finding::ok(SENT, format!("an event about {TEST_DOMAIN} was sent to {}{user}{by}", path.display())))
}

/// Waits until the store has so many events more than before.
fn find(configuration: &Configuration, collector: &Collector, before: Result<u64, Error>, sent: u64) -> Finding {
    let store = &configuration.store.url;
    let unknown = |error: &Error| {
        let message = format!("the event was sent, and the store {store} cannot be read: {error}");
        match error.kind() {
            ErrorKind::Missing if collector.may_be_another_one() => Finding::warn(
                STORED,
                message,
                Remedy::after(
                    "tlsrpt-collectd has a database of its own; its log",
                    "journalctl -u tlsrpt-collectd -n 20",
                ),
            ),
            ErrorKind::Missing => {
                let message = format!("{message}: the collector has another store");
                let first = "unless --config names another configuration than that of the collector";
                Finding::fail(STORED, message, Remedy::after(first, collector.restart()))
            }
            ErrorKind::AddsOnly => {
                Finding::ok(STORED, format!("the event was sent; its arrival is not seen here: {error}"))
            }
            _ => Finding::warn(STORED, message, Remedy::as_root()),
        }
    };
    let before = match before {
        Ok(before) => before,
        // The collector makes the store with its first event.
        Err(error) if error.kind() == ErrorKind::Missing => 0,
        Err(error) => return unknown(&error),
    };
    let (begun, first) = (Instant::now(), today());
    loop {
        let found = stored(configuration, first);
        let late = begun.elapsed() > LONGEST;
        match found {
            Ok(found) if found >= before.saturating_add(sent) => {
                let message =
                    format!("the store {store} has it. No report is made about {TEST_DOMAIN}; keep-days removes it");
                return Finding::ok(STORED, message);
            }
            Ok(_) if late => {
                let message = format!(
                    "the event was sent, and the store {store} does not have it after {} s: the collector does not read, or has \
                     another store",
                    LONGEST.as_secs()
                );
                return Finding::fail(
                    STORED,
                    message,
                    Remedy::after("the log of the collector says why", format!("{LOG}; {}", collector.restart())),
                );
            }
            Err(error) if late => return unknown(&error),
            _ => thread::sleep(STEP),
        }
    }
}

/// The number of test events since a day.
fn stored(configuration: &Configuration, since: Date) -> Result<u64, Error> {
    let mut reader = open_reader(&configuration.store.url)?;
    let mut number = 0;
    for day in BTreeSet::from([since, today()]) {
        let policies = reader.policies(day, TEST_DOMAIN)?;
        number += policies.iter().map(|policy| policy.succeeded + policy.failed).sum::<u64>();
    }
    Ok(number)
}
