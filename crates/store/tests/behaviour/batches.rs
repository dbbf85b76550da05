//! Batches for tests, and what is in the store after them.

use tlsrpt_format::datagram;
use tlsrpt_store::{Batch, BatchId, CountedEvent, Date, PolicyCounts, Timestamp};

pub(crate) fn day(text: &str) -> Date {
    text.parse().unwrap()
}

pub(crate) const DAY: &str = "2026-11-24";

/// An event in JSON: domain, record, members of its policies.
pub(crate) fn event(domain: &str, record: &str, policies: &[&str]) -> String {
    let policies: Vec<_> = policies.iter().map(|members| format!("{{{members}}}")).collect();
    format!(r#"{{"dpv":"1","d":"{domain}","pr":"{record}","policies":[{}]}}"#, policies.join(","))
}

pub(crate) const GOOD: &str = r#""policy-type":9,"t":0,"f":0"#;
pub(crate) const BAD: &str = r#""policy-type":9,"failure-details":[{"c":204,"s":"192.0.2.1"}],"t":1,"f":1"#;

pub(crate) fn batch(number: u64, on: &str, events: &[(String, u64)]) -> Batch {
    let counted = |(text, times): &(String, u64)| CountedEvent {
        event: datagram::parse(text.as_bytes()).unwrap(),
        times: *times,
    };
    Batch {
        id: BatchId { writer: "test".into(), number },
        day: day(on),
        last_event: (!events.is_empty()).then(|| Timestamp::from_second(1_795_262_400).unwrap()),
        events: events.iter().map(counted).collect(),
        invalid: Vec::new(),
        dropped: 0,
    }
}

pub(crate) fn sums(policies: &[PolicyCounts]) -> Vec<(u64, u64)> {
    policies.iter().map(|policy| (policy.succeeded, policy.failed)).collect()
}
