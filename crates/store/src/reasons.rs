//! The reasons of failed sessions, as result types of RFC 8460.

use std::collections::BTreeMap;

use tlsrpt_format::datagram::Failure;

use crate::{FailureCounts, PolicyCounts};

/// A result type and how many times it was reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The result type of RFC 8460 section 4.3. For a number without a name: `type NUMBER`.
    pub result_type: String,
    /// How many times.
    pub times: u64,
}

impl Reason {
    /// Each reason once with the sum of its times, the most frequent first.
    #[must_use]
    pub fn sums<'r>(reasons: impl IntoIterator<Item = &'r Self>) -> Vec<Self> {
        sorted(reasons.into_iter().map(|reason| (reason.result_type.clone(), reason.times)))
    }
}

/// The reasons of all policies, the most frequent first.
#[must_use]
pub fn reasons(policies: &[PolicyCounts]) -> Vec<Reason> {
    let name = |failure: &FailureCounts| failure.failure.as_ref().map_or("failures over the limit".into(), result_type);
    let failures = policies.iter().flat_map(|policy| &policy.failures);
    sorted(failures.map(|failure| (name(failure), failure.times)))
}

fn sorted(counted: impl Iterator<Item = (String, u64)>) -> Vec<Reason> {
    let mut times = BTreeMap::<String, u64>::new();
    for (name, number) in counted {
        let sum = times.entry(name).or_default();
        *sum = sum.saturating_add(number);
    }
    let mut reasons: Vec<_> = times.into_iter().map(|(result_type, times)| Reason { result_type, times }).collect();
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.times));
    reasons
}

/// The name of the result type, or its number.
#[must_use]
pub fn result_type(failure: &Failure) -> String {
    match failure.result_type() {
        Ok(name) => name.into(),
        Err(number) => format!("type {number}"),
    }
}
