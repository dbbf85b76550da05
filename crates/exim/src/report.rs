//! The event for the collector.

#![forbid(unsafe_code)]

use tlsrpt::{Connection, Error, FailureDetails, FailureMember, FinalResult, Policy, PolicyType};

use crate::{
    call::Call,
    session::{Failure, Outcome},
    text::lines,
};

/// Sends the outcome of one connection to the collector. `record`: the TLSRPT record of the recipients' domain.
///
/// # Errors
///
/// The library's errors, most often that there is no collector.
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

/// The policy domain of DANE is the MX host (RFC 8460 section 4.4).
fn policy_domain<'a>(call: &Call<'a>, policy: PolicyType) -> &'a [u8] {
    if policy == PolicyType::Tlsa { call.host } else { call.domain }
}

fn add_failure(
    policy: &mut Policy<'_>,
    call: &Call<'_>,
    failure: Failure<'_>,
    ehlo: Option<&[u8]>,
) -> Result<(), Error> {
    let details = FailureDetails::new()
        .with(FailureMember::SendingMtaIp, known(call.facts.sending_ip))
        .with(FailureMember::ReceivingMxHostname, known(call.host))
        .with(FailureMember::ReceivingMxHelo, ehlo)
        .with(FailureMember::ReceivingIp, known(call.facts.receiving_ip))
        .with(FailureMember::FailureReasonCode, failure.reason);
    policy.add_failure(failure.failure_type, &details)
}

fn known(text: &[u8]) -> Option<&[u8]> {
    Some(text).filter(|text| !text.is_empty())
}
