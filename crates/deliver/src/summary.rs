//! The report in words, for a person who opens the mail.

use std::fmt::{self, Display, Write};

use jiff::civil::Date;
use serde_json::Value;
use tlsrpt::FailureType;
use tlsrpt_format::{
    printable,
    report::{FailureResults, PolicyResults},
};

/// The member of a policy with the recipient domains whose sessions it counts, in the report of an MX host. RFC 8460 has none; receivers
/// ignore members that they do not know.
pub(crate) const RECIPIENT_DOMAINS: &str = "recipient-domains";

/// The most failures that are shown. The attachment has all.
const MOST_FAILURES: usize = 20;
/// The longest member that is shown, in characters.
const LONGEST_MEMBER: usize = 200;

/// The lines above the results.
#[derive(Debug)]
pub(crate) struct Heading<'a> {
    /// The policy domain.
    pub(crate) domain: &'a str,
    /// The UTC day.
    pub(crate) day: Date,
    /// The report id.
    pub(crate) id: &'a str,
    /// Who sends the report.
    pub(crate) organization: &'a str,
    /// Where questions go.
    pub(crate) contact: &'a str,
}

pub(crate) fn in_words(heading: &Heading<'_>, policies: &[PolicyResults<'_>]) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut text, heading, policies);
    text
}

fn write(text: &mut String, heading: &Heading<'_>, policies: &[PolicyResults<'_>]) -> fmt::Result {
    let Heading { domain, day, id, organization, contact } = heading;
    let succeeded: u64 = policies.iter().map(|policy| policy.summary.succeeded).sum();
    let failed: u64 = policies.iter().map(|policy| policy.summary.failed).sum();
    writeln!(text, "This is an SMTP TLS report (RFC 8460) about mail to {} on {day} (UTC).", printable(domain))?;
    writeln!(text, "It comes from {}, because the TLSRPT record of the domain asks for it.\n", shown(organization))?;
    writeln!(text, "Sessions with the TLS that the policy asks for: {succeeded}")?;
    writeln!(text, "Sessions without:                              {failed}")?;
    for policy in policies {
        let name = &policy.policy;
        writeln!(text, "\nPolicy {} of {}", name.policy_type, shown(name.policy_domain.as_deref().unwrap_or(domain)))?;
        writeln!(text, "  succeeded {}, failed {}", policy.summary.succeeded, policy.summary.failed)?;
        if let Some(domains) = name.others.get(RECIPIENT_DOMAINS).and_then(Value::as_array) {
            let domains: Vec<_> =
                domains.iter().filter_map(Value::as_str).map(|domain| shown(domain).to_string()).collect();
            writeln!(text, "  recipient domains: {}", domains.join(", "))?;
        }
        let mut failures: Vec<_> = policy.failure_details.iter().collect();
        failures.sort_by_key(|failure| std::cmp::Reverse(failure.failed_session_count));
        failures.iter().take(MOST_FAILURES).try_for_each(|failure| write_failure(text, failure))?;
        if failures.len() > MOST_FAILURES {
            writeln!(text, "  and {} more in the attachment", failures.len() - MOST_FAILURES)?;
        }
    }
    writeln!(text, "\nThe attachment has the whole report in JSON. Questions go to {}.", shown(contact))?;
    writeln!(text, "Report id: {}", printable(id))
}

fn write_failure(text: &mut String, FailureResults { name, failed_session_count }: &FailureResults<'_>) -> fmt::Result {
    let result_type = name.result_type.unwrap_or_default();
    writeln!(text, "  {failed_session_count} times {result_type}: {}", meaning(result_type))?;
    name.details.known().try_for_each(|(member, value)| writeln!(text, "    {}: {}", member.rfc_name(), shown(value)))
}

fn meaning(result_type: &str) -> &'static str {
    let named = FailureType::ALL.iter().find(|failure| failure.rfc_name() == Some(result_type));
    named.map_or("", |failure| failure.definition().meaning)
}

/// Untrusted text, escaped and of limited length.
fn shown(text: &str) -> impl Display {
    let bounded: String = text.chars().take(LONGEST_MEMBER).collect();
    let more = if bounded.len() < text.len() { "..." } else { "" };
    format!("{}{more}", printable(&bounded))
}
