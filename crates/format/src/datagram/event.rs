//! An event: the content of a datagram.

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use tlsrpt::{FailureMember, FailureType, PolicyType};

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
    /// The policies that the mail server applied to the delivery; usually one.
    pub policies: Vec<Policy>,
}

/// A policy and the result of the delivery under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    pub(super) result: i32,
    /// The failures, in the order in which they were reported.
    pub failures: Vec<Failure>,
    /// The policy itself.
    pub description: PolicyDescription,
}

/// The members that identify a policy. Sessions under equal policies are counted together in a report.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PolicyDescription {
    pub(super) policy_type: i32,
    /// The domain of the policy, if the mail server named it.
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
    pub(super) code: i32,
    /// The place and the reason.
    pub details: FailureDetails,
}

/// The texts of a failure: [`FailureMember`] has the keys of the datagram and the names in reports.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct FailureDetails {
    /// In the order of [`FailureMember::ALL`].
    pub(super) values: [Option<String>; FailureMember::ALL.len()],
}

impl Policy {
    /// A policy that the session met or not, with the failures.
    #[must_use]
    pub fn new(description: PolicyDescription, succeeded: bool, failures: Vec<Failure>) -> Self {
        Self { result: i32::from(!succeeded), failures, description }
    }

    /// Whether the session met the policy.
    pub fn succeeded(&self) -> bool {
        self.result == 0
    }
}

impl PolicyDescription {
    /// The type, or its number if RFC 8460 has no such type.
    pub fn policy_type(&self) -> Result<&'static str, i32> {
        PolicyType::from_number(self.policy_type).and_then(PolicyType::rfc_name).ok_or(self.policy_type)
    }
}

impl Failure {
    /// The type, or its number if the library does not know it.
    pub fn failure_type(&self) -> Result<FailureType, i32> {
        FailureType::from_number(self.code).ok_or(self.code)
    }

    /// The type in a report, or its number if RFC 8460 has no such type.
    pub fn result_type(&self) -> Result<&'static str, i32> {
        self.failure_type()?.rfc_name().ok_or(self.code)
    }
}

impl FailureDetails {
    /// The value of a member.
    #[must_use]
    pub fn get(&self, member: FailureMember) -> Option<&str> {
        self.known().find(|(known, _)| *known == member).map(|(_, value)| value)
    }

    /// Sets a member, or removes it if the value is None.
    pub fn set(&mut self, member: FailureMember, value: Option<String>) {
        for (place, _) in self.values.iter_mut().zip(FailureMember::ALL).filter(|(_, place)| **place == member) {
            place.clone_from(&value);
        }
    }

    /// The members that have a value, in the order of [`FailureMember::ALL`].
    pub fn known(&self) -> impl Iterator<Item = (FailureMember, &str)> {
        FailureMember::ALL.iter().zip(&self.values).filter_map(|(member, value)| Some((*member, value.as_deref()?)))
    }
}

/// Writes the members with their names in RFC 8460 section 4.4.
impl Serialize for FailureDetails {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.known().map(|(member, value)| (member.rfc_name(), value)))
    }
}
