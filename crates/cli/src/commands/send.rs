//! `tlsrpt send`: sends one event, or sends recorded datagrams again.

mod replay;

use std::{
    io,
    num::NonZeroU32,
    path::{Path, PathBuf},
    str::FromStr,
};

use clap::ValueEnum;
use tlsrpt::{Connection, ErrorKind, FailureDetails, FailureMember, FailureType, FinalResult, PolicyType};

use crate::{arguments, failure::Failure, nearest::did_you_mean};

/// Sends one event to the collector, as a mail server does, or sends recorded datagrams again.
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
    /// Send at most N datagrams a second
    #[arg(long, value_name = "N")]
    rate: Option<NonZeroU32>,
}

const HELP: &str = "\
The types of failures and the keys are those of RFC 8460 sections 4.3 and 4.4. A comma in a value is
written \\, and a backslash \\\\.

Examples:
  tlsrpt send --socket /run/tlsrpt/tlsrpt.sock --domain example.org \\
      --record 'v=TLSRPTv1; rua=mailto:tls@example.org' --success
  tlsrpt send --socket /run/tlsrpt/tlsrpt.sock --domain example.org \\
      --record 'v=TLSRPTv1; rua=mailto:tls@example.org' \\
      --policy sts --policy-domain example.org \\
      --policy-string 'version: STSv1' --mx-host '*.example.org' \\
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
    /// The type of the policy that applied to the delivery [default: none]
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
    /// A failure; may be repeated
    #[arg(long, value_name = "TYPE[,KEY=VALUE]...")]
    failure: Vec<FailureArgument>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum PolicyName {
    Sts,
    Tlsa,
    None,
}

/// A failure on the command line: its type and its texts.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FailureArgument {
    failure_type: FailureType,
    values: Vec<(FailureMember, String)>,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    match (&arguments.event, &arguments.from) {
        (Some(_), _) if arguments.rate.is_some() => Err(Failure::BadUse("--rate needs --from".into())),
        (Some(event), _) => report(&arguments.socket, event),
        (None, Some(file)) => replay::replay(&arguments.socket, file, arguments.rate),
        (None, None) => Err(Failure::BadUse("nothing to send: give --domain, --record and a result, or --from".into())),
    }
}

fn report(socket: &Path, event: &Event) -> Result<(), Failure> {
    if !event.success && event.failure.is_empty() {
        return Err(Failure::BadUse("no result: give --success or --failure".into()));
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
        self.values
            .iter()
            .fold(FailureDetails::new(), |details, (member, value)| details.with(*member, Some(value.as_bytes())))
    }
}

/// The parts between commas. A backslash makes the next character an ordinary one.
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

fn key_and_value(part: &str) -> Result<(FailureMember, String), String> {
    let (name, value) = part.split_once('=').ok_or_else(|| format!("{part:?} is not KEY=VALUE"))?;
    let member = FailureMember::from_rfc_name(name).ok_or_else(|| {
        let names: Vec<_> = FailureMember::ALL.iter().map(|member| member.rfc_name()).collect();
        none_of(name, &names)
    })?;
    Ok((member, value.into()))
}

fn failure_type(name: &str) -> Result<FailureType, String> {
    let named = FailureType::ALL.iter().find(|failure_type| failure_type.rfc_name() == Some(name));
    named.copied().ok_or_else(|| {
        let names: Vec<_> = FailureType::ALL.iter().filter_map(|failure_type| failure_type.rfc_name()).collect();
        none_of(name, &names)
    })
}

fn none_of(wrong: &str, names: &[&str]) -> String {
    format!("{wrong:?} is none of {}{}", names.join(", "), did_you_mean(wrong, names.iter().copied()))
}

#[cfg(test)]
mod tests {
    use tlsrpt::{FailureDetails, FailureType};

    use super::FailureArgument;

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
    fn errors_of_a_failure_argument() {
        let wrong = |text: &str| text.parse::<FailureArgument>().unwrap_err();
        assert!(wrong("").contains("starttls-not-supported"));
        assert!(
            wrong("expired").contains("\"expired\" is none of")
                && wrong("expired").ends_with("; did you mean certificate-expired?")
        );
        assert!(wrong("certificate-expird").ends_with("; did you mean certificate-expired?"));
        assert!(wrong("tlsa-invalid,receiving-mx-hostnam=x").ends_with("; did you mean receiving-mx-hostname?"));
        assert!(wrong("certificate-expired,why").contains("\"why\" is not KEY=VALUE"));
        assert!(wrong("certificate-expired,why=x").contains("\"why\" is none of sending-mta-ip,"));
    }
}
