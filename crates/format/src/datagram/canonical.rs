//! Events, policies and failures as JSON text for a store. Equal policies and failures have equal texts: the members are
//! sorted.

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, Value};

use super::{
    event::{Event, Failure, Policy, PolicyDescription},
    invalid::Invalid,
    reading,
};

impl Event {
    /// The event as JSON, in the form of a datagram, on one line.
    #[must_use]
    pub fn to_json(&self) -> String {
        let text =
            EventText { d: &self.domain, pr: &self.record, policies: self.policies.iter().map(PolicyText).collect() };
        written(&text)
    }

    /// Parses the output of [`Self::to_json`].
    ///
    /// # Errors
    ///
    /// The reason why the text describes no event.
    pub fn from_json(text: &str) -> Result<Self, Invalid> {
        reading::event(text)
    }
}

impl PolicyDescription {
    /// The members of the datagram that describe the policy, as JSON with sorted members. Equal descriptions have equal
    /// texts.
    #[must_use]
    pub fn to_json(&self) -> String {
        if self.others.is_empty() {
            return written(&UsualPolicy {
                mx_host: self.mx_host.as_deref(),
                policy_domain: self.policy_domain.as_deref(),
                policy_string: self.policy_string.as_deref(),
                policy_type: self.policy_type,
            });
        }
        let mut members = self.others.clone();
        members.insert("policy-type".into(), self.policy_type.into());
        insert_some(&mut members, "policy-domain", self.policy_domain.as_deref());
        insert_some(&mut members, "policy-string", self.policy_string.as_deref());
        insert_some(&mut members, "mx-host", self.mx_host.as_deref());
        sorted(members)
    }

    /// Parses the output of [`Self::to_json`].
    ///
    /// # Errors
    ///
    /// The reason why the text describes no policy.
    pub fn from_json(text: &str) -> Result<Self, Invalid> {
        reading::description(text)
    }
}

impl Failure {
    /// The members of the datagram that describe the failure, as JSON with sorted members. Equal failures have equal
    /// texts.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut members = Map::new();
        members.insert("c".into(), self.code.into());
        members.extend(self.details.known().map(|(member, value)| (member.key().into(), value.into())));
        sorted(members)
    }

    /// Parses the output of [`Self::to_json`].
    ///
    /// # Errors
    ///
    /// The reason why the text describes no failure.
    pub fn from_json(text: &str) -> Result<Self, Invalid> {
        reading::failure(text)
    }
}

fn insert_some<T: Clone + Into<Value>>(members: &mut Map<String, Value>, name: &str, value: Option<T>) {
    if let Some(value) = value {
        members.insert(name.into(), value.into());
    }
}

fn sorted(members: Map<String, Value>) -> String {
    let mut value = Value::Object(members);
    value.sort_all_objects();
    value.to_string()
}

/// A policy without members of a later library, in the order of the names. It needs no sorted map, which makes it
/// faster: the collector makes this text for each datagram.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct UsualPolicy<'p> {
    #[serde(skip_serializing_if = "Option::is_none")]
    mx_host: Option<&'p [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_domain: Option<&'p str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_string: Option<&'p [String]>,
    policy_type: i32,
}

#[derive(Serialize)]
struct EventText<'e> {
    d: &'e str,
    pr: &'e str,
    policies: Vec<PolicyText<'e>>,
}

/// A policy as in a datagram, without the count of its failures.
struct PolicyText<'e>(&'e Policy);

impl Serialize for PolicyText<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Policy { result, failures, description } = self.0;
        let PolicyDescription { policy_type, policy_domain, policy_string, mx_host, others } = description;
        let mut members = serializer.serialize_map(None)?;
        members.serialize_entry("policy-type", policy_type)?;
        for (name, value) in [("policy-string", policy_string), ("mx-host", mx_host)] {
            if let Some(value) = value {
                members.serialize_entry(name, value)?;
            }
        }
        if let Some(domain) = policy_domain {
            members.serialize_entry("policy-domain", domain)?;
        }
        others.iter().try_for_each(|(name, value)| members.serialize_entry(name, value))?;
        if !failures.is_empty() {
            members.serialize_entry("failure-details", &failures.iter().map(FailureText).collect::<Vec<_>>())?;
        }
        members.serialize_entry("f", result)?;
        members.end()
    }
}

/// A failure as in a datagram.
struct FailureText<'e>(&'e Failure);

impl Serialize for FailureText<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(None)?;
        members.serialize_entry("c", &self.0.code)?;
        self.0.details.known().try_for_each(|(member, value)| members.serialize_entry(member.key(), value))?;
        members.end()
    }
}

fn written(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("strings and numbers can be written as JSON")
}

#[cfg(test)]
mod tests {
    use super::{Event, Failure, PolicyDescription};
    use crate::datagram::parse;

    fn first(policy: &str) -> (PolicyDescription, Vec<Failure>) {
        let event = parse(format!(r#"{{"d":"a","pr":"","policies":[{policy}]}}"#).as_bytes()).unwrap();
        let policy = event.policies.into_iter().next().unwrap();
        (policy.description, policy.failures)
    }

    #[test]
    fn the_order_of_members_does_not_matter() {
        let one = r#"{"policy-type":2,"policy-domain":"a","policy-string":["b","c"],"mx-host":["d"],
            "x":{"y":1,"z":[{"u":null,"v":2}]},"f":0,"t":1,
            "failure-details":[{"c":204,"s":"1","n":"2","h":"3","r":"4","a":"5","f":"6"}]}"#;
        let other = r#"{"failure-details":[{"f":"6","a":"5","r":"4","h":"3","n":"2","s":"1","c":204}],"t":7,"f":1,
            "x":{"z":[{"v":2,"u":null}],"y":1},"mx-host":["d"],"policy-string":["b","c"],"policy-domain":"a",
            "policy-type":2}"#;
        let ((one, one_failures), (other, other_failures)) = (first(one), first(other));
        assert_eq!((&one, &one_failures), (&other, &other_failures));
        assert_eq!(one.to_json(), other.to_json());
        let expected = r#"{"mx-host":["d"],"policy-domain":"a","policy-string":["b","c"],"policy-type":2,"x":{"y":1,"z":[{"u":null,"v":2}]}}"#;
        assert_eq!(one.to_json(), expected);
        assert_eq!(one_failures[0].to_json(), other_failures[0].to_json());
        assert_eq!(one_failures[0].to_json(), r#"{"a":"5","c":204,"f":"6","h":"3","n":"2","r":"4","s":"1"}"#);
    }

    #[test]
    fn the_text_of_a_usual_policy() {
        let usual = r#"{"policy-type":2,"policy-domain":"a\u0001","policy-string":["b","\""],"mx-host":["d"],"f":0}"#;
        let text = r#"{"mx-host":["d"],"policy-domain":"a\u0001","policy-string":["b","\""],"policy-type":2}"#;
        assert_eq!(first(usual).0.to_json(), text);
        assert_eq!(first(r#"{"policy-type":9,"f":0}"#).0.to_json(), r#"{"policy-type":9}"#);
    }

    #[test]
    fn texts_are_read_back() {
        for policy in [
            r#"{"policy-type":9,"f":0,"failure-details":[{"c":201}]}"#,
            r#"{"policy-type":0,"policy-domain":"\u0000\"","policy-string":[],"mx-host":["\u202e"],"new":null,"f":1,
                "failure-details":[{"c":-1,"s":"","f":"\n"}]}"#,
            // A number that serde_json rounds to another one without its feature "float_roundtrip".
            r#"{"policy-type":1,"f":0,"x":1444444444444444444444444444444444444444444444,
                "failure-details":[{"c":201}]}"#,
        ] {
            let (description, failures) = first(policy);
            assert_eq!(PolicyDescription::from_json(&description.to_json()), Ok(description));
            assert_eq!(Failure::from_json(&failures[0].to_json()).as_ref(), Ok(&failures[0]));
        }
        assert_eq!(PolicyDescription::from_json("{}").unwrap_err().detail, "policy-type is missing");
        assert!(Failure::from_json("[]").is_err());
    }

    #[test]
    fn events_are_read_back() {
        for policies in [
            "",
            r#"{"policy-type":9,"f":0}"#,
            r#"{"policy-type":9,"t":2,"f":-2147483648,"failure-details":[{"c":-1},{"c":201,"s":"","f":"\n","a":"\u0000"}]}"#,
            r#"{"policy-type":2,"policy-domain":"\"","policy-string":[],"mx-host":["\u202e"],"f":1,"t":0},
                {"policy-type":0,"policy-string":["a","b"],"f":0}"#,
            r#"{"policy-type":1,"f":0,"new":null,"dpv":{"d":[1e5,1444444444444444444444444444444444444444444444]}}"#,
        ] {
            let datagram = format!(r#"{{"dpv":"1","d":"A.example.","pr":"v=TLSRPTv1\n","policies":[{policies}]}}"#);
            let event = parse(datagram.as_bytes()).unwrap();
            let text = event.to_json();
            assert_eq!(Event::from_json(&text).as_ref(), Ok(&event), "{text}");
            assert!(!text.contains('\n'), "{text}");
        }
        // As deep as a datagram may be.
        let deep = format!(
            r#"{{"d":"","pr":"","policies":[{{"policy-type":9,"f":0,"x":{}{}}}]}}"#,
            "[".repeat(124),
            "]".repeat(124)
        );
        let event = parse(deep.as_bytes()).unwrap();
        assert_eq!(Event::from_json(&event.to_json()), Ok(event));
        assert_eq!(Event::from_json("{}").unwrap_err().detail, "d is missing");
    }

    #[test]
    fn the_order_of_lists_and_every_value_matter() {
        let texts = [
            r#"{"policy-type":2,"f":0}"#,
            r#"{"policy-type":1,"f":0}"#,
            r#"{"policy-type":2,"policy-domain":"a","f":0}"#,
            r#"{"policy-type":2,"policy-domain":"A","f":0}"#,
            r#"{"policy-type":2,"policy-string":["a","b"],"f":0}"#,
            r#"{"policy-type":2,"policy-string":["b","a"],"f":0}"#,
            r#"{"policy-type":2,"policy-string":[],"f":0}"#,
            r#"{"policy-type":2,"mx-host":["a","b"],"f":0}"#,
            r#"{"policy-type":2,"x":1,"f":0}"#,
            r#"{"policy-type":2,"x":"1","f":0}"#,
        ]
        .map(|policy| first(policy).0.to_json());
        let distinct: std::collections::HashSet<_> = texts.iter().collect();
        assert_eq!(distinct.len(), texts.len(), "{texts:#?}");
    }
}
