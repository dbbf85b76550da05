//! Upper estimates of the memory of the policies and failures of a report.

use serde_json::{Map, Value};

use super::tally::{Subject, Tally};
use crate::datagram::{Failure, PolicyDescription};

/// The overhead of the allocator for a block, in bytes.
const OF_BLOCK: usize = 16;

/// The memory of an entry of a map whose key and value have this size, with its hash and its index in the table. The
/// factor 2 is for the free space in maps and tables.
const fn of_entry(key_and_value: usize) -> usize {
    2 * (key_and_value + 3 * size_of::<usize>())
}

pub(super) fn of_subject(subject: &Subject) -> usize {
    of_entry(size_of::<Subject>() + size_of::<indexmap::IndexMap<PolicyDescription, Tally>>())
        + of_string(&subject.domain)
        + of_string(&subject.record)
}

pub(super) fn of_policy(policy: &PolicyDescription) -> usize {
    let lists = [&policy.policy_string, &policy.mx_host];
    of_entry(size_of::<PolicyDescription>() + size_of::<Tally>())
        + policy.policy_domain.as_ref().map_or(0, of_string)
        + lists.into_iter().flatten().map(of_strings).sum::<usize>()
        + of_members(&policy.others)
}

pub(super) fn of_failure(failure: &Failure) -> usize {
    let texts = failure.details.known().map(|(_, text)| text.len() + OF_BLOCK);
    of_entry(size_of::<Failure>() + size_of::<u64>()) + texts.sum::<usize>()
}

fn of_string(text: &String) -> usize {
    text.capacity() + OF_BLOCK
}

fn of_strings(texts: &Vec<String>) -> usize {
    texts.capacity() * size_of::<String>() + OF_BLOCK + texts.iter().map(of_string).sum::<usize>()
}

fn of_members(members: &Map<String, Value>) -> usize {
    let member = |(name, value): (&String, &Value)| {
        of_entry(size_of::<String>() + size_of::<Value>()) + of_string(name) + beyond_itself(value)
    };
    members.iter().map(member).sum()
}

/// The memory of a value on the heap, in bytes.
fn beyond_itself(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => of_string(text),
        Value::Array(items) => {
            items.capacity() * size_of::<Value>() + OF_BLOCK + items.iter().map(beyond_itself).sum::<usize>()
        }
        Value::Object(members) => of_members(members),
    }
}
