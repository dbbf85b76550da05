//! Arrays, and what some write for them.

use std::slice;

use serde_json::Value;

use crate::{Rule, departure::Departures};

/// The items of an array. One value instead of an array is its only item; null and nothing are no items.
pub(super) fn list<'v>(departures: &mut Departures, place: &str, value: Option<&'v Value>) -> &'v [Value] {
    match value {
        None => &[],
        Some(Value::Null) => {
            departures.note(Rule::Null, place);
            &[]
        }
        Some(Value::Array(items)) => items,
        Some(one) => {
            departures.note(Rule::NotAList, place);
            slice::from_ref(one)
        }
    }
}
