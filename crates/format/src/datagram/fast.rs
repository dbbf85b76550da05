//! The fast way to read the usual datagram.
//!
//! It knows exactly the members that libtlsrpt writes, each once and of the right type. Everything else (unknown
//! members, repeated ones, any defect) is left to [`super::reading`], which decides and gives the reason. Where this
//! module accepts a datagram, both read the same.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::Map;

use super::{Failure, FailureDetails, Policy, PolicyDescription, VERSION};

/// Reads a datagram; `None` for an unusual one.
pub(super) fn parse(text: &str) -> Option<super::Event> {
    let Object(Event { dpv, d, pr, policies }) = serde_json::from_str(text).ok()?;
    if dpv.is_some_and(|version| version != VERSION) {
        return None;
    }
    let policies = policies.into_iter().map(|Object(policy)| policy.into()).collect();
    Some(super::Event { domain: d, record: pr, policies })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Event {
    dpv: Option<String>,
    d: String,
    pr: String,
    policies: Vec<Object<PolicyMembers>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct PolicyMembers {
    policy_type: i32,
    policy_domain: Option<String>,
    policy_string: Option<Vec<String>>,
    mx_host: Option<Vec<String>>,
    #[serde(default)]
    failure_details: Vec<Object<FailureMembers>>,
    #[serde(rename = "t", default)]
    _failure_count: i32,
    f: i32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FailureMembers {
    c: i32,
    s: Option<String>,
    n: Option<String>,
    h: Option<String>,
    r: Option<String>,
    a: Option<String>,
    f: Option<String>,
}

impl From<PolicyMembers> for Policy {
    fn from(members: PolicyMembers) -> Self {
        let PolicyMembers { policy_type, policy_domain, policy_string, mx_host, failure_details, f, .. } = members;
        Self {
            result: f,
            failures: failure_details.into_iter().map(|Object(failure)| failure.into()).collect(),
            description: PolicyDescription { policy_type, policy_domain, policy_string, mx_host, others: Map::new() },
        }
    }
}

impl From<FailureMembers> for Failure {
    fn from(members: FailureMembers) -> Self {
        let FailureMembers { c, s, n, h, r, a, f } = members;
        let details = FailureDetails {
            sending_mta_ip: s,
            receiving_mx_hostname: n,
            receiving_mx_helo: h,
            receiving_ip: r,
            additional_information: a,
            failure_reason_code: f,
        };
        Self { code: c, details }
    }
}

/// A structure from a JSON object. serde_json alone takes an array for it too.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, members: M) -> Result<Self::Value, M::Error> {
        T::deserialize(MapAccessDeserializer::new(members)).map(Object)
    }
}
