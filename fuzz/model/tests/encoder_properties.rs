//! What holds for every event: its datagram is UTF-8 and JSON, a parser reads from it what went in, and it is byte for
//! byte what the naive encoder of the model writes.
//!
//! Strings are any bytes, NUL too, which the interface for Rust takes; what is not UTF-8 counts as
//! `String::from_utf8_lossy` reads it.

use std::cell::RefCell;

use proptest::{collection::vec, option, prelude::*};
use serde_json::{Value, json};
use tlsrpt::{Connection, FailureDetails, FailureMember, FailureType, FinalResult, PolicyType};
use tlsrpt_model::{
    collector::{Collector, Name},
    datagram::{FAILURE_KEYS, Failure, Policy, datagram, quoted},
};

/// Bytes of every kind that the encoder tells apart, next to each other.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        vec(any::<u8>(), 0..20),
        vec(0x20_u8..0x7f, 0..40),
        vec(0_u8..0x20, 1..4),
        vec(prop::sample::select(b"\"\\\x7f/\x80\xbf\xc3\xe2\xf0\xff".to_vec()), 1..6),
        any::<String>().prop_map(String::into_bytes),
    ];
    vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn failure() -> impl Strategy<Value = Failure> {
    let texts = [(); 6].map(|()| option::of(bytes()));
    (prop::sample::select(FailureType::ALL), texts)
        .prop_map(|(failure_type, texts)| Failure { failure_type: failure_type.number(), texts })
}

fn policy() -> impl Strategy<Value = Policy> {
    let types = (prop::sample::select(PolicyType::ALL), prop::sample::select(FinalResult::ALL));
    let lists = (vec(bytes(), 0..4), vec(bytes(), 0..4), vec(failure(), 0..4));
    (types, option::of(bytes()), lists).prop_map(|((policy_type, result), domain, (strings, patterns, failures))| {
        let (policy_type, result) = (policy_type.number(), result.number());
        Policy { policy_type, domain, strings, patterns, failures, result }
    })
}

/// Adds to the three lists of a policy in the order of these numbers, and what is left over behind.
fn describe(request: &mut tlsrpt::DeliveryRequest, policy: &Policy, order: &[u8]) {
    let policy_type = PolicyType::from_number(policy.policy_type).unwrap();
    let mut open = request.policy(policy_type, policy.domain.as_deref()).unwrap();
    let (mut strings, mut patterns) = (policy.strings.iter(), policy.patterns.iter());
    let mut failures = policy.failures.iter();
    for number in order.iter().copied().chain((0..12).map(|number| number % 3)) {
        match number % 3 {
            0 => strings.next().map(|text| open.add_policy_string(text)),
            1 => patterns.next().map(|text| open.add_mx_host_pattern(text)),
            _ => failures.next().map(|failure| add(&mut open, failure)),
        }
        .unwrap_or(Ok(()))
        .unwrap();
    }
    open.finish(FinalResult::from_number(policy.result).unwrap()).unwrap();
}

fn add(policy: &mut tlsrpt::Policy<'_>, failure: &Failure) -> Result<(), tlsrpt::Error> {
    let members = FailureMember::ALL.iter().zip(&failure.texts);
    let details = members.fold(FailureDetails::new(), |details, (member, text)| details.with(*member, text.as_deref()));
    policy.add_failure(FailureType::from_number(failure.failure_type).unwrap(), &details)
}

/// The datagram of an event.
fn sent(domain: &[u8], record: &[u8], policies: &[(Policy, Vec<u8>)]) -> Vec<u8> {
    thread_local! {
        static COLLECTOR: RefCell<Collector> = RefCell::new(Collector::start());
    }
    COLLECTOR.with_borrow_mut(|collector| {
        let connection = Connection::open(collector.resolve(&Name::Collector).unwrap().as_slice()).unwrap();
        let mut request = connection.delivery_request(domain, record).unwrap();
        for (policy, order) in policies {
            describe(&mut request, policy, order);
        }
        request.send().unwrap();
        collector.receive().expect("a datagram").to_vec()
    })
}

// ---- what went in, as a parser should read it

fn text(bytes: &[u8]) -> Value {
    Value::String(String::from_utf8_lossy(bytes).into_owned())
}

fn insert_list(object: &mut Value, key: &str, items: Vec<Value>) {
    if !items.is_empty() {
        object[key] = Value::Array(items);
    }
}

fn failure_value(failure: &Failure) -> Value {
    let mut object = json!({"c": failure.failure_type});
    for (key, value) in FAILURE_KEYS.iter().zip(&failure.texts) {
        if let Some(value) = value {
            object[*key] = text(value);
        }
    }
    object
}

fn policy_value(policy: &Policy) -> Value {
    let mut object = json!({"policy-type": policy.policy_type, "t": policy.failures.len(), "f": policy.result});
    if let Some(domain) = &policy.domain {
        object["policy-domain"] = text(domain);
    }
    insert_list(&mut object, "policy-string", policy.strings.iter().map(|item| text(item)).collect());
    insert_list(&mut object, "mx-host", policy.patterns.iter().map(|item| text(item)).collect());
    insert_list(&mut object, "failure-details", policy.failures.iter().map(failure_value).collect());
    object
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_parser_reads_what_went_in(
        domain in bytes(),
        record in bytes(),
        policies in vec((policy(), vec(any::<u8>(), 0..12)), 1..4),
    ) {
        let bytes = sent(&domain, &record, &policies);
        let policies: Vec<_> = policies.into_iter().map(|(policy, _)| policy).collect();
        let utf8 = std::str::from_utf8(&bytes).expect("UTF-8");
        let read: Value = serde_json::from_str(utf8).expect("JSON");
        prop_assert_eq!(read, json!({
            "dpv": "1",
            "d": text(&domain),
            "pr": text(&record),
            "policies": policies.iter().map(policy_value).collect::<Vec<_>>(),
        }));
        prop_assert_eq!(utf8, datagram(&domain, &record, &policies));
    }

    #[test]
    fn the_escaper_equals_the_naive_one(long in vec(bytes(), 0..8)) {
        let text = long.concat();
        let policy = Policy { policy_type: 9, ..Policy::default() };
        let bytes = sent(&text, b"", &[(policy, Vec::new())]);
        let begin = format!(r#"{{"dpv": "1","d": {},"pr": "","#, quoted(&text));
        prop_assert!(bytes.starts_with(begin.as_bytes()));
    }

    #[test]
    fn replacement_equals_from_utf8_lossy(text in vec(any::<u8>(), 0..200)) {
        let policy = Policy { policy_type: 9, ..Policy::default() };
        let bytes = sent(&text, b"", &[(policy, Vec::new())]);
        let read: Value = serde_json::from_slice(&bytes).expect("JSON");
        prop_assert_eq!(read["d"].as_str().expect("a string"), String::from_utf8_lossy(&text));
    }
}
