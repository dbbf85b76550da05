//! Runs the recorded call sequences through the Rust interface: the datagrams and codes equal those of the C library.
//!
//! The types exclude some misuse. A sequence with such misuse is counted under the reason why Rust cannot express it.

use std::{collections::BTreeMap, fs, path::Path};

use serde::Deserialize;
use serde_json::Value;
use tlsrpt::{Connection, Error, FailureDetails, FailureMember, FailureType, FinalResult, PolicyType};

use crate::collector::Collector;

#[derive(Deserialize)]
struct Sequence {
    name: String,
    ops: Vec<Vec<Value>>,
    returns: Vec<i32>,
    datagrams: Vec<String>,
}

/// Why a sequence cannot be written in Rust.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Inexpressible {
    /// `DeliveryRequest::policy` borrows the request until the policy is gone.
    PolicyInsidePolicy,
    /// Additions to a policy are methods of the policy.
    StepOutsidePolicy,
    /// An open policy that is dropped is an error; for `tlsrpt_cancel_delivery_request` it is none.
    CancelWithOpenPolicy,
    /// The enums have only the numbers that reports have names for.
    NumberOutsideEnum,
}

struct RequestCalls {
    domain: Vec<u8>,
    record: Vec<u8>,
    policies: Vec<PolicyCalls>,
    cancelled: bool,
}

struct PolicyCalls {
    policy_type: PolicyType,
    domain: Option<Vec<u8>>,
    items: Vec<Item>,
    /// `None` for a policy that is left open.
    result: Option<FinalResult>,
}

enum Item {
    PolicyString(Vec<u8>),
    MxHostPattern(Vec<u8>),
    Failure(FailureType, [Option<Vec<u8>>; 6]),
}

#[test]
fn recorded_sequences() {
    let collector = Collector::start();
    let connection = collector.connect();
    let mut run = 0;
    let mut left_out = BTreeMap::<Inexpressible, usize>::new();
    for sequence in sequences() {
        match RequestCalls::of(&sequence.ops) {
            Ok(calls) => {
                check(&sequence, &calls, &connection, &collector);
                run += 1;
            }
            Err(reason) => *left_out.entry(reason).or_default() += 1,
        }
    }
    assert_eq!(run, 439);
    assert_eq!(
        left_out,
        BTreeMap::from([
            (Inexpressible::PolicyInsidePolicy, 35),
            (Inexpressible::StepOutsidePolicy, 9),
            (Inexpressible::CancelWithOpenPolicy, 2),
            (Inexpressible::NumberOutsideEnum, 115),
        ])
    );
}

fn sequences() -> Vec<Sequence> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/sequences.jsonl");
    let text = fs::read_to_string(file).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn check(sequence: &Sequence, calls: &RequestCalls, connection: &Connection, collector: &Collector) {
    let (last, before) = sequence.returns.split_last().unwrap();
    assert!(before.iter().all(|code| *code == 0), "{}: what Rust can express fails at the end only", sequence.name);
    let code = calls.make(connection).err().map_or(0, Error::code);
    assert_eq!(code, *last, "{}", sequence.name);
    let datagrams: Vec<String> = collector.receive().iter().map(|datagram| hex(datagram)).collect();
    assert_eq!(datagrams, sequence.datagrams, "{}", sequence.name);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl RequestCalls {
    fn of(ops: &[Vec<Value>]) -> Result<Self, Inexpressible> {
        let [first, others @ ..] = ops else { panic!("a sequence without a step") };
        assert_eq!(first[0], "init_delivery_request");
        let mut calls =
            Self { domain: required(&first[1]), record: required(&first[2]), policies: Vec::new(), cancelled: false };
        for op in others {
            calls.take(op[0].as_str().unwrap(), &op[1..])?;
        }
        Ok(calls)
    }

    fn take(&mut self, name: &str, arguments: &[Value]) -> Result<(), Inexpressible> {
        let open = self.policies.last_mut().filter(|policy| policy.result.is_none());
        match (name, open) {
            ("finish_delivery_request", _) | ("cancel_delivery_request", None) => {
                self.cancelled = name == "cancel_delivery_request";
            }
            ("cancel_delivery_request", Some(_)) => return Err(Inexpressible::CancelWithOpenPolicy),
            ("init_policy", None) => self.policies.push(PolicyCalls {
                policy_type: one_of(PolicyType::from_number, &arguments[0])?,
                domain: optional(&arguments[1]),
                items: Vec::new(),
                result: None,
            }),
            ("init_policy", Some(_)) => return Err(Inexpressible::PolicyInsidePolicy),
            (_, None) => return Err(Inexpressible::StepOutsidePolicy),
            (_, Some(policy)) => policy.take(name, arguments)?,
        }
        Ok(())
    }

    fn make(&self, connection: &Connection) -> Result<(), Error> {
        let mut request = connection.delivery_request(&self.domain, &self.record)?;
        for policy in &self.policies {
            let mut open = request.policy(policy.policy_type, policy.domain.as_deref())?;
            for item in &policy.items {
                match item {
                    Item::PolicyString(text) => open.add_policy_string(text)?,
                    Item::MxHostPattern(pattern) => open.add_mx_host_pattern(pattern)?,
                    Item::Failure(failure_type, texts) => open.add_failure(*failure_type, &details(texts))?,
                }
            }
            if let Some(result) = policy.result {
                open.finish(result)?;
            }
        }
        if self.cancelled { request.cancel() } else { request.send() }
    }
}

impl PolicyCalls {
    fn take(&mut self, name: &str, arguments: &[Value]) -> Result<(), Inexpressible> {
        match name {
            "add_policy_string" => self.items.push(Item::PolicyString(required(&arguments[0]))),
            "add_mx_host_pattern" => self.items.push(Item::MxHostPattern(required(&arguments[0]))),
            "add_delivery_request_failure" => {
                let failure_type = one_of(FailureType::from_number, &arguments[0])?;
                self.items.push(Item::Failure(failure_type, std::array::from_fn(|i| optional(&arguments[i + 1]))));
            }
            "finish_policy" => self.result = Some(one_of(FinalResult::from_number, &arguments[0])?),
            _ => panic!("no step is named {name}"),
        }
        Ok(())
    }
}

fn details(texts: &[Option<Vec<u8>>; 6]) -> FailureDetails<'_> {
    FailureMember::ALL
        .iter()
        .zip(texts)
        .fold(FailureDetails::new(), |details, (member, text)| details.with(*member, text.as_deref()))
}

fn one_of<T>(from_number: fn(i32) -> Option<T>, value: &Value) -> Result<T, Inexpressible> {
    let number = value.as_i64().unwrap().try_into().unwrap();
    from_number(number).ok_or(Inexpressible::NumberOutsideEnum)
}

fn required(value: &Value) -> Vec<u8> {
    optional(value).unwrap()
}

fn optional(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone().into_bytes()),
        _ => panic!("no text: {value}"),
    }
}
