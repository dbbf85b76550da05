//! The event for the collector.

#![forbid(unsafe_code)]

use tlsrpt::{Connection, Error, FailureDetails, FinalResult, Policy, PolicyType};

use crate::{
    call::Call,
    session::{Failure, Outcome},
    text::lines,
};

/// Reports the outcome of one connection to the domain that published this record.
///
/// # Errors
///
/// Those of the library, above all that the collector is not there.
pub fn send(call: &Call<'_>, record: &[u8], outcome: Outcome<'_>, ehlo: Option<&[u8]>) -> Result<(), Error> {
    let connection = Connection::open(call.socket)?;
    let mut request = connection.delivery_request(call.domain, record)?;
    let mut policy = request.policy(outcome.policy, Some(policy_domain(call, outcome.policy)))?;
    if outcome.policy == PolicyType::Tlsa {
        lines(call.tlsa).try_for_each(|tlsa| policy.add_policy_string(tlsa))?;
    }
    match outcome.failure {
        Some(failure) => {
            add_failure(&mut policy, call, failure, ehlo)?;
            policy.finish(FinalResult::Failure)?;
        }
        None => policy.finish(FinalResult::Success)?,
    }
    request.send()
}

/// DANE is the policy of a host.
fn policy_domain<'a>(call: &Call<'a>, policy: PolicyType) -> &'a [u8] {
    match policy {
        PolicyType::Tlsa => call.host,
        PolicyType::Sts | PolicyType::NoPolicyFound => call.domain,
    }
}

fn add_failure(
    policy: &mut Policy<'_>,
    call: &Call<'_>,
    failure: Failure<'_>,
    ehlo: Option<&[u8]>,
) -> Result<(), Error> {
    let details = FailureDetails {
        sending_mta_ip: known(call.facts.sending_ip),
        receiving_mx_hostname: known(call.host),
        receiving_mx_helo: ehlo,
        receiving_ip: known(call.facts.receiving_ip),
        additional_information: None,
        failure_reason_code: failure.reason,
    };
    policy.add_failure(failure.failure_type, &details)
}

fn known(text: &[u8]) -> Option<&[u8]> {
    Some(text).filter(|text| !text.is_empty())
}
