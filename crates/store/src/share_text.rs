//! The shares of MX hosts as JSON.

use serde_json::{Value, json};
use tlsrpt_format::datagram::{Failure, PolicyDescription};

use crate::{FailureCounts, MxHostShare, PolicyCounts};

/// The most domains in one report of a host. Further domains wait for its next report.
pub(crate) const SHARES_AT_ONCE: i64 = 10_000;
/// The same for the bytes of what is said about them: no further domain is taken beyond these.
pub(crate) const BYTES_AT_ONCE: usize = 2 << 20;

pub(crate) fn to_json(MxHostShare { domain, destinations, policies, .. }: &MxHostShare) -> String {
    let policy = |counts: &PolicyCounts| {
        let failures: Vec<_> = counts
            .failures
            .iter()
            .map(|FailureCounts { failure, times }| json!([failure.as_ref().map(Failure::to_json), times]))
            .collect();
        json!({
            "policy": counts.policy.as_ref().map(PolicyDescription::to_json),
            "succeeded": counts.succeeded,
            "failed": counts.failed,
            "failures": failures,
        })
    };
    let policies: Vec<_> = policies.iter().map(policy).collect();
    json!({"domain": domain, "destinations": destinations, "policies": policies}).to_string()
}

pub(crate) fn from_json(host: &str, text: &str) -> Option<MxHostShare> {
    let value: Value = serde_json::from_str(text).ok()?;
    let destinations = value["destinations"].as_array()?.iter().map(|to| to.as_str().map(str::to_owned));
    let policies = value["policies"].as_array()?.iter().map(policy);
    Some(MxHostShare {
        host: host.into(),
        domain: value["domain"].as_str()?.into(),
        destinations: destinations.collect::<Option<_>>()?,
        policies: policies.collect::<Option<_>>()?,
    })
}

fn policy(value: &Value) -> Option<PolicyCounts> {
    let failure = |value: &Value| {
        let failure = match &value[0] {
            Value::Null => None,
            text => Some(Failure::from_json(text.as_str()?).ok()?),
        };
        Some(FailureCounts { failure, times: value[1].as_u64()? })
    };
    let policy = match &value["policy"] {
        Value::Null => None,
        text => Some(PolicyDescription::from_json(text.as_str()?).ok()?),
    };
    Some(PolicyCounts {
        record: String::new(),
        policy,
        succeeded: value["succeeded"].as_u64()?,
        failed: value["failed"].as_u64()?,
        failures: value["failures"].as_array()?.iter().map(failure).collect::<Option<_>>()?,
    })
}
