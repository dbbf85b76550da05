//! The datagram that a mail server sends for each delivery, as a collector reads it.

mod canonical;
mod domain;
mod fast;
mod invalid;
mod reading;

use serde::Serialize;
use serde_json::{Map, Value};
use tlsrpt::{FailureType, PolicyType};

pub use domain::normalized_domain;
pub use invalid::{Invalid, InvalidReason};
pub use reading::parse;

/// The version of the datagram that libtlsrpt writes, in the member `dpv`. libtlsrpt 0.5.0rc1 writes no `dpv`.
pub const VERSION: &str = "1";

/// The longest valid datagram in bytes, as with tlsrpt-collectd. Linux passes on at most twice `net.core.wmem_max`,
/// 416 KiB unless the administrator raises it.
pub const LONGEST: usize = 16 << 20;

/// The TLS results of one delivery to one domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The policy domain, as the mail server wrote it.
    pub domain: String,
    /// The TLSRPT record of the domain.
    pub record: String,
    /// The policies that the mail server applied to the session; usually one.
    pub policies: Vec<Policy>,
}

/// A policy and the result of the delivery under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    result: i32,
    /// The failures, in the order in which they were reported.
    pub failures: Vec<Failure>,
    /// Which policy it was.
    pub description: PolicyDescription,
}

/// Which policy it was. Sessions under equal policies are counted together in a report.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PolicyDescription {
    policy_type: i32,
    /// The domain that the policy is for, where the mail server named it.
    pub policy_domain: Option<String>,
    /// The lines of the MTA-STS policy, or the TLSA records.
    pub policy_string: Option<Vec<String>>,
    /// The MX host patterns of an MTA-STS policy.
    pub mx_host: Option<Vec<String>>,
    /// Members that a later library may add. They go into the report unchanged.
    pub others: Map<String, Value>,
}

/// A failure. Equal failures are counted together in a report.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Failure {
    code: i32,
    /// The place and the reason.
    pub details: FailureDetails,
}

/// The strings of a failure: short names in the datagram, the names of RFC 8460 section 4.4 in the report.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct FailureDetails {
    /// The address that the sending server connected from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sending_mta_ip: Option<String>,
    /// The MX host name of the receiving server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receiving_mx_hostname: Option<String>,
    /// What the receiving server called itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receiving_mx_helo: Option<String>,
    /// The address of the receiving server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receiving_ip: Option<String>,
    /// A URI with more about the failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_information: Option<String>,
    /// The reason in words or as a code of the sending server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_reason_code: Option<String>,
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
