//! `tlsrpt send`: reports an event, or recorded datagrams again.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    num::NonZeroU32,
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    str::FromStr,
    thread,
    time::{Duration, Instant},
};

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};
use tlsrpt::{Connection, ErrorKind, FailureDetails, FailureMember, FailureType, FinalResult, PolicyType};

use tlsrpt_format::recording;

use crate::{arguments, failure::Failure, output::say};

/// Reports one event to the collector, as a mail server would, or sends recorded ones again.
///
/// An event has one policy and its result. --success with --failure reports a success after failures.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// Where the collector listens
    #[arg(long, value_name = "PATH", value_parser = arguments::socket_path())]
    socket: PathBuf,
    #[command(flatten)]
    event: Option<Event>,
    /// Send the datagrams of this file, one a line as listen prints them with --format json; - is standard input
    #[arg(long, value_name = "FILE", conflicts_with = "Event")]
    from: Option<PathBuf>,
    /// Send at most so many a second
    #[arg(long, value_name = "N")]
    rate: Option<NonZeroU32>,
}

const HELP: &str = "\
Types of failures, and what each may be told with, are those of RFC 8460 sections 4.3 and 4.4. A comma in a value is
written \\, and a backslash \\\\.

Examples:
  tlsrpt send --socket /run/tlsrpt/tlsrpt.sock --domain example.org \\
      --record 'v=TLSRPTv1; rua=mailto:tls@example.org' --success
  tlsrpt send --socket /run/tlsrpt/tlsrpt.sock --domain example.org \\
      --record 'v=TLSRPTv1; rua=mailto:tls@example.org' \\
      --policy sts --policy-domain example.org --policy-string 'version: STSv1' --mx-host '*.example.org' \\
      --failure certificate-expired,receiving-mx-hostname=mx.example.org,receiving-ip=192.0.2.25
  tlsrpt send --socket /run/tlsrpt/tlsrpt.sock --from events.jsonl --rate 100";

#[derive(Debug, clap::Args)]
struct Event {
    /// The domain that mail was delivered to
    #[arg(long)]
    domain: String,
    /// Its TLSRPT record
    #[arg(long, value_name = "TEXT")]
    record: String,
    /// The type of the policy that the delivery was held to; none unless given
    #[arg(long, value_name = "TYPE")]
    policy: Option<PolicyName>,
    /// The domain of the policy: the recipient's for sts and none, the MX host for tlsa
    #[arg(long, value_name = "DOMAIN")]
    policy_domain: Option<String>,
    /// A line of the policy; may be repeated
    #[arg(long, value_name = "TEXT")]
    policy_string: Vec<String>,
    /// An MX host pattern of the policy; may be repeated
    #[arg(long, value_name = "PATTERN")]
    mx_host: Vec<String>,
    /// TLS was established as the policy demands
    #[arg(long)]
    success: bool,
    /// What went wrong; may be repeated
    #[arg(long, value_name = "TYPE[,KEY=VALUE]...")]
    failure: Vec<FailureArgument>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum PolicyName {
    Sts,
    Tlsa,
    None,
}

/// A failure as it stands on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FailureArgument {
    failure_type: FailureType,
    values: Vec<(Key, String)>,
}

/// What may be told with a failure: the members of RFC 8460 section 4.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Key {
    SendingMtaIp,
    ReceivingMxHostname,
    ReceivingMxHelo,
    ReceivingIp,
    AdditionalInformation,
    FailureReasonCode,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    match (&arguments.event, &arguments.from) {
        (Some(_), _) if arguments.rate.is_some() => Err(Failure::BadUse("--rate is for --from".into())),
        (Some(event), _) => report(&arguments.socket, event),
        (None, Some(file)) => replay(&arguments.socket, file, arguments.rate),
        (None, None) => {
            Err(Failure::BadUse("what to send is missing: --domain, --record and a result, or --from".into()))
        }
    }
}

fn report(socket: &Path, event: &Event) -> Result<(), Failure> {
    if !event.success && event.failure.is_empty() {
        return Err(Failure::BadUse("how it went is missing: --success or --failure".into()));
    }
    send_event(socket, event).map_err(|error| match (error.kind(), error.errno()) {
        (ErrorKind::Send, Some(errno)) => {
            Failure::Failed(tlsrpt_socket::explain(socket, &io::Error::from_raw_os_error(errno)))
        }
        _ => Failure::Failed(error.to_string()),
    })
}

fn send_event(socket: &Path, event: &Event) -> Result<(), tlsrpt::Error> {
    let connection = Connection::open(socket)?;
    let mut request = connection.delivery_request(&event.domain, &event.record)?;
    let policy_type = event.policy.unwrap_or(PolicyName::None).into();
    let mut policy = request.policy(policy_type, event.policy_domain.as_deref().map(str::as_bytes))?;
    for text in &event.policy_string {
        policy.add_policy_string(text)?;
    }
    for pattern in &event.mx_host {
        policy.add_mx_host_pattern(pattern)?;
    }
    for failure in &event.failure {
        policy.add_failure(failure.failure_type, &failure.details())?;
    }
    policy.finish(if event.success { FinalResult::Success } else { FinalResult::Failure })?;
    request.send()
}

/// Sends recorded datagrams. Not through the library: it writes events of its own, and these must arrive as they came,
/// the invalid ones too. Nobody waits for a mail here, so a full queue is waited for.
fn replay(collector: &Path, file: &Path, rate: Option<NonZeroU32>) -> Result<(), Failure> {
    let cannot_read = |error| Failure::Failed(format!("{}: {error}", file.display()));
    let (mut lines, len) = open(file).map_err(cannot_read)?;
    let out = UnixDatagram::unbound().map_err(|error| Failure::Failed(format!("cannot make a socket: {error}")))?;
    let progress = progress_bar(len);
    let mut pace = Pace::new(rate);
    let (mut line, mut number) = (Vec::new(), 0_u64);
    let mut sent = 0_u64;
    loop {
        line.clear();
        let read = lines.read_until(b'\n', &mut line).map_err(cannot_read)?;
        if read == 0 {
            break;
        }
        number += 1;
        let recorded = line.trim_ascii_end();
        if !recorded.is_empty() {
            let datagram = recording::datagram_of(recorded).map_err(|why| {
                Failure::BadUse(format!("{}: line {number} is no recorded datagram: {why}", file.display()))
            })?;
            pace.wait();
            out.send_to(&datagram, collector)
                .map_err(|error| Failure::Failed(tlsrpt_socket::explain(collector, &error)))?;
            sent += 1;
        }
        progress.inc(read as u64);
        progress.set_message(format!("{sent} sent"));
    }
    progress.finish_and_clear();
    say(format_args!("datagrams sent: {sent}"));
    Ok(())
}

/// The lines of a file and its length, which standard input does not tell.
fn open(file: &Path) -> io::Result<(Box<dyn BufRead>, Option<u64>)> {
    if file == Path::new("-") {
        return Ok((Box::new(io::stdin().lock()), None));
    }
    let file = File::open(file)?;
    let metadata = file.metadata()?;
    Ok((Box::new(BufReader::new(file)), metadata.is_file().then_some(metadata.len())))
}

/// Shown on standard error where that is a terminal.
fn progress_bar(len: Option<u64>) -> ProgressBar {
    let (bar, template) = match len {
        Some(len) => (ProgressBar::new(len), "{bar:40} {percent:>3} %  {msg}  {eta} left"),
        None => (ProgressBar::new_spinner(), "{spinner} {msg}"),
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Keeps to a rate, by the clock that does not jump.
struct Pace {
    interval: Option<Duration>,
    next: Instant,
}

impl Pace {
    fn new(rate: Option<NonZeroU32>) -> Self {
        Self { interval: rate.map(|rate| Duration::from_secs(1) / rate.get()), next: Instant::now() }
    }

    fn wait(&mut self) {
        if let Some(interval) = self.interval {
            thread::sleep(self.next.saturating_duration_since(Instant::now()));
            self.next += interval;
        }
    }
}

impl From<PolicyName> for PolicyType {
    fn from(name: PolicyName) -> Self {
        match name {
            PolicyName::Sts => Self::Sts,
            PolicyName::Tlsa => Self::Tlsa,
            PolicyName::None => Self::NoPolicyFound,
        }
    }
}

impl FromStr for FailureArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = split_at_commas(text).into_iter();
        let name = parts.next().unwrap_or_default();
        let values = parts.map(|part| key_and_value(&part)).collect::<Result<_, _>>()?;
        Ok(Self { failure_type: failure_type(&name)?, values })
    }
}

impl FailureArgument {
    fn details(&self) -> FailureDetails<'_> {
        let mut details = FailureDetails::default();
        for (key, value) in &self.values {
            let member = match key {
                Key::SendingMtaIp => FailureMember::SendingMtaIp,
                Key::ReceivingMxHostname => FailureMember::ReceivingMxHostname,
                Key::ReceivingMxHelo => FailureMember::ReceivingMxHelo,
                Key::ReceivingIp => FailureMember::ReceivingIp,
                Key::AdditionalInformation => FailureMember::AdditionalInformation,
                Key::FailureReasonCode => FailureMember::FailureReasonCode,
            };
            details = details.with(member, Some(value.as_bytes()));
        }
        details
    }
}

/// The parts between commas. A backslash takes the character behind it for what it is.
fn split_at_commas(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (character, parts.last_mut()) {
            (',', _) => parts.push(String::new()),
            ('\\', Some(part)) => part.extend(characters.next()),
            (_, Some(part)) => part.push(character),
            (_, None) => {}
        }
    }
    parts
}

fn key_and_value(part: &str) -> Result<(Key, String), String> {
    let (name, value) = part.split_once('=').ok_or_else(|| format!("{part:?} is not KEY=VALUE"))?;
    let key = Key::from_str(name, false).map_err(|_| {
        let known: Vec<_> = Key::value_variants().iter().filter_map(Key::to_possible_value).collect();
        let names: Vec<_> = known.iter().map(|value| value.get_name()).collect();
        format!("{name:?} is none of {}", names.join(", "))
    })?;
    Ok((key, value.into()))
}

fn failure_type(name: &str) -> Result<FailureType, String> {
    let named = FailureType::ALL.iter().find(|failure_type| failure_type.rfc_name() == Some(name));
    named.copied().ok_or_else(|| {
        let names: Vec<_> = FailureType::ALL.iter().filter_map(|failure_type| failure_type.rfc_name()).collect();
        format!("{name:?} is none of {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use std::{
        num::NonZeroU32,
        time::{Duration, Instant},
    };

    use tlsrpt::{FailureDetails, FailureType};

    use super::{FailureArgument, Pace};

    #[test]
    fn every_failure_type_by_its_name() {
        let names: Vec<_> = FailureType::ALL.iter().filter_map(|failure_type| failure_type.rfc_name()).collect();
        assert_eq!(names.len(), 11);
        for name in names {
            let argument: FailureArgument = name.parse().unwrap();
            assert_eq!(argument.failure_type.rfc_name(), Some(name));
            assert_eq!(argument.details(), FailureDetails::default());
        }
    }

    #[test]
    fn every_key_and_escaped_commas() {
        let text = "certificate-expired,sending-mta-ip=a,receiving-mx-hostname=b,receiving-mx-helo=c,receiving-ip=d,\
            additional-information=e=e,failure-reason-code=f\\, f\\\\,receiving-ip=last";
        let expected = FailureDetails::new()
            .sending_mta_ip("a")
            .receiving_mx_hostname("b")
            .receiving_mx_helo("c")
            .receiving_ip("last")
            .additional_information("e=e")
            .failure_reason_code("f, f\\");
        assert_eq!(text.parse::<FailureArgument>().unwrap().details(), expected);
    }

    #[test]
    fn what_is_wrong_with_a_failure() {
        let wrong = |text: &str| text.parse::<FailureArgument>().unwrap_err();
        assert!(wrong("").contains("starttls-not-supported"));
        assert!(wrong("expired").contains("\"expired\" is none of"));
        assert!(wrong("certificate-expired,why").contains("\"why\" is not KEY=VALUE"));
        assert!(wrong("certificate-expired,why=x").contains("\"why\" is none of sending-mta-ip,"));
    }

    #[test]
    fn a_rate_sets_the_times_and_no_rate_none() {
        let start = Instant::now();
        let mut pace = Pace::new(NonZeroU32::new(1000));
        for _ in 0..5 {
            pace.wait();
        }
        assert_eq!(pace.next.duration_since(start).as_millis(), 5);
        assert!(start.elapsed() >= Duration::from_millis(4));
        let mut pace = Pace::new(None);
        let next = pace.next;
        pace.wait();
        assert_eq!(pace.next, next);
    }
}
