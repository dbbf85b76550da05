//! Writes events and invalid datagrams as text.

use std::{
    fmt::Display,
    io::{self, Write},
};

use jiff::Timestamp;

use tlsrpt_format::{
    datagram::{Event, Failure, Policy, PolicyDescription},
    printable, printable_bytes,
};

use crate::output::{BAD, DOUBTFUL, GOOD, LABEL, TITLE};

/// Writes an event as one block of lines.
pub(crate) fn write_event(out: &mut impl Write, at: Timestamp, event: &Event) -> io::Result<()> {
    let domain = printable(&event.domain);
    writeln!(out, "{LABEL}{}{LABEL:#}  {TITLE}{domain}{TITLE:#}  {}", moment(at), outcome(&event.policies))?;
    for policy in &event.policies {
        write_policy(out, policy)?;
    }
    line(out, "record", printable(&event.record))?;
    writeln!(out)
}

/// Writes an invalid datagram as one block of lines.
pub(crate) fn write_invalid(out: &mut impl Write, at: Timestamp, bytes: &[u8], reason: &str) -> io::Result<()> {
    writeln!(out, "{LABEL}{}{LABEL:#}  {BAD}not a valid datagram{BAD:#}", moment(at))?;
    line(out, "reason", printable(reason))?;
    line(out, "bytes", format_args!("{}: {}", bytes.len(), printable_bytes(bytes)))?;
    writeln!(out)
}

/// The time in UTC, as in reports, to the second.
fn moment(at: Timestamp) -> impl Display {
    format!("{at:.0}")
}

fn outcome(policies: &[Policy]) -> impl Display {
    match (policies.is_empty(), policies.iter().all(Policy::succeeded)) {
        (true, _) => format!("{DOUBTFUL}no policy{DOUBTFUL:#}"),
        (false, true) => format!("{GOOD}success{GOOD:#}"),
        (false, false) => format!("{BAD}failure{BAD:#}"),
    }
}

fn write_policy(out: &mut impl Write, policy: &Policy) -> io::Result<()> {
    let PolicyDescription { policy_domain, policy_string, mx_host, others, .. } = &policy.description;
    let kind = match policy.description.policy_type() {
        Ok(name) => name.to_string(),
        Err(number) => format!("unknown type {number}"),
    };
    let domain = policy_domain.iter().map(|domain| format!(", {}", printable(domain))).collect::<String>();
    let result = if policy.succeeded() { "success" } else { "failure" };
    line(out, "policy", format_args!("{kind}{domain}: {result}"))?;
    for text in policy_string.iter().flatten() {
        line(out, "", printable(text))?;
    }
    for pattern in mx_host.iter().flatten() {
        line(out, "mx-host", printable(pattern))?;
    }
    for (name, value) in others {
        line(out, "", format_args!("{}: {}", printable(name), printable(&value.to_string())))?;
    }
    policy.failures.iter().try_for_each(|failure| write_failure(out, failure))
}

fn write_failure(out: &mut impl Write, failure: &Failure) -> io::Result<()> {
    match failure.failure_type() {
        Ok(kind) => {
            let name = kind.rfc_name().unwrap_or("unfinished");
            line(out, "failure", format_args!("{name}: {}", kind.definition().meaning))?;
        }
        Err(number) => line(out, "failure", format_args!("unknown type {number}"))?,
    }
    let mut details = failure.details.known();
    details.try_for_each(|(member, value)| line(out, "", format_args!("{}: {}", member.rfc_name(), printable(value))))
}

fn line(out: &mut impl Write, label: &str, text: impl Display) -> io::Result<()> {
    writeln!(out, "  {LABEL}{label:<8}{LABEL:#} {text}")
}
