//! A fast parser for the usual datagram.
//!
//! It accepts exactly the members that libtlsrpt writes, each once and of the right type. For everything else (unknown
//! members, repeated ones, any defect) it returns None, and [`super::reading`] decides and gives the reason. If this
//! module accepts a datagram, both parsers return equal events.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::Map;
use tlsrpt::FailureMember;

use super::event::{self, Failure, FailureDetails, Policy, PolicyDescription, VERSION};

/// Reads a datagram; `None` for an unusual one.
pub(super) fn parse(text: &str) -> Option<event::Event> {
    let Object(Event { dpv, d, pr, policies }) = serde_json::from_str(text).ok()?;
    if dpv.is_some_and(|version| version != VERSION) {
        return None;
    }
    let policies = policies.into_iter().map(|Object(policy)| policy.into()).collect();
    Some(event::Event { domain: d, record: pr, policies })
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
    failure_details: Vec<Failure>,
    #[serde(rename = "t", default)]
    _failure_count: i32,
    f: i32,
}

impl From<PolicyMembers> for Policy {
    fn from(members: PolicyMembers) -> Self {
        let PolicyMembers { policy_type, policy_domain, policy_string, mx_host, failure_details, f, .. } = members;
        Self {
            result: f,
            failures: failure_details,
            description: PolicyDescription { policy_type, policy_domain, policy_string, mx_host, others: Map::new() },
        }
    }
}

impl<'de> Deserialize<'de> for Failure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FailureVisitor)
    }
}

struct FailureVisitor;

impl<'de> Visitor<'de> for FailureVisitor {
    type Value = Failure;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a failure")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut members: M) -> Result<Failure, M::Error> {
        let (mut code, mut details) = (None, FailureDetails::default());
        while let Some(key) = members.next_key::<&str>()? {
            match FailureMember::from_key(key) {
                None if key == "c" && code.is_none() => code = Some(members.next_value()?),
                Some(member) if details.get(member).is_none() => details.set(member, Some(members.next_value()?)),
                _ => return Err(M::Error::custom("an unusual member")),
            }
        }
        let code = code.ok_or_else(|| M::Error::missing_field("c"))?;
        Ok(Failure { code, details })
    }
}

/// A structure that is read from a JSON object only. A derived `Deserialize` also accepts an array.
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
