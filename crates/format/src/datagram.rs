//! The datagram that a mail server sends for each delivery, as a collector reads it.

use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::{Map, Value};
use tlsrpt::{FailureType, PolicyType};

/// The version of the datagram that libtlsrpt writes.
pub const VERSION: &str = "1";

/// What happened with TLS when mail was delivered to one domain.
#[derive(Debug, Deserialize)]
pub struct Event {
    /// None from libtlsrpt 0.5.0 and earlier.
    #[serde(rename = "dpv")]
    pub version: Option<String>,
    /// The policy domain, as the mail server wrote it.
    #[serde(rename = "d")]
    pub domain: String,
    /// The TLSRPT record of the domain.
    #[serde(rename = "pr")]
    pub record: String,
    /// One for each policy that the session was held to; usually one.
    pub policies: Vec<Policy>,
}

/// A policy and how the delivery went under it.
#[derive(Debug, Deserialize)]
pub struct Policy {
    #[serde(rename = "f")]
    result: i64,
    /// What went wrong, in the order in which it was reported.
    #[serde(rename = "failure-details", default)]
    pub failures: Vec<Failure>,
    /// Says nothing that the failures do not, and is no part of the description.
    #[serde(rename = "t", default)]
    _failure_count: IgnoredAny,
    /// Which policy it was.
    #[serde(flatten)]
    pub description: PolicyDescription,
}

/// Which policy it was. Sessions under equal policies are counted together in a report.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PolicyDescription {
    policy_type: i32,
    /// The domain that the policy is for, where the mail server named it.
    pub policy_domain: Option<String>,
    /// The lines of the MTA-STS policy, or the TLSA records.
    pub policy_string: Option<Vec<String>>,
    /// The MX host patterns of an MTA-STS policy.
    pub mx_host: Option<Vec<String>>,
    /// What a later library may add. It goes into the report as it is.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

/// What went wrong. Equal failures are counted together in a report.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
pub struct Failure {
    #[serde(rename = "c")]
    code: i32,
    /// Where and why it went wrong.
    #[serde(flatten)]
    pub details: FailureDetails,
}

/// The strings of a failure: short names in the datagram, the names of RFC 8460 section 4.4 in the report.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all(serialize = "kebab-case"))]
pub struct FailureDetails {
    /// The address that the sending server connected from.
    #[serde(rename(deserialize = "s"), skip_serializing_if = "Option::is_none")]
    pub sending_mta_ip: Option<String>,
    /// The MX host name of the receiving server.
    #[serde(rename(deserialize = "n"), skip_serializing_if = "Option::is_none")]
    pub receiving_mx_hostname: Option<String>,
    /// What the receiving server called itself.
    #[serde(rename(deserialize = "h"), skip_serializing_if = "Option::is_none")]
    pub receiving_mx_helo: Option<String>,
    /// The address of the receiving server.
    #[serde(rename(deserialize = "r"), skip_serializing_if = "Option::is_none")]
    pub receiving_ip: Option<String>,
    /// A URI with more about the failure.
    #[serde(rename(deserialize = "a"), skip_serializing_if = "Option::is_none")]
    pub additional_information: Option<String>,
    /// The reason in words or as a code of the sending server.
    #[serde(rename(deserialize = "f"), skip_serializing_if = "Option::is_none")]
    pub failure_reason_code: Option<String>,
}

/// Reads a datagram.
///
/// # Errors
///
/// Why it is none: not UTF-8, not JSON, or a member that is missing or of another type.
pub fn parse(bytes: &[u8]) -> Result<Event, serde_json::Error> {
    // By way of a map, so that the last of two members with one name counts, as it does for the collector.
    let members: Map<String, Value> = serde_json::from_slice(bytes)?;
    Event::deserialize(Value::Object(members))
}

impl Policy {
    /// Whether the session met the policy.
    pub fn succeeded(&self) -> bool {
        self.result == 0
    }
}

impl PolicyDescription {
    /// The type, or its number where RFC 8460 has no such type.
    pub fn policy_type(&self) -> Result<&'static str, i32> {
        PolicyType::from_number(self.policy_type).and_then(PolicyType::rfc_name).ok_or(self.policy_type)
    }
}

impl Failure {
    /// The type, or its number where it is none that the library knows.
    pub fn failure_type(&self) -> Result<FailureType, i32> {
        FailureType::from_number(self.code).ok_or(self.code)
    }

    /// The type in a report, or its number where RFC 8460 has no such type.
    pub fn result_type(&self) -> Result<&'static str, i32> {
        self.failure_type()?.rfc_name().ok_or(self.code)
    }
}

impl FailureDetails {
    /// What is known, each with its name in reports.
    pub fn known(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("sending-mta-ip", &self.sending_mta_ip),
            ("receiving-mx-hostname", &self.receiving_mx_hostname),
            ("receiving-mx-helo", &self.receiving_mx_helo),
            ("receiving-ip", &self.receiving_ip),
            ("additional-information", &self.additional_information),
            ("failure-reason-code", &self.failure_reason_code),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_deref()?)))
    }
}
