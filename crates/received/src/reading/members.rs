//! The members of objects: texts and numbers, and what some write for them.

use serde_json::{Map, Value};

use super::{list::list, reader::Reader};
use crate::{Rule, limits};

/// Where a member is, and its value.
#[derive(Debug, Clone)]
pub(super) struct Member<'v> {
    pub(super) place: String,
    pub(super) value: Option<&'v Value>,
    members: Option<&'v Map<String, Value>>,
}

impl<'v> Member<'v> {
    pub(super) fn root(members: &'v Map<String, Value>) -> Self {
        Self { place: String::new(), value: None, members: Some(members) }
    }

    pub(super) fn at(place: String, members: &'v Map<String, Value>) -> Self {
        Self { place, value: None, members: Some(members) }
    }

    /// A member of this object.
    pub(super) fn of(&self, name: &str) -> Self {
        let value = self.members.and_then(|members| members.get(name));
        let place = if self.place.is_empty() { name.into() } else { format!("{}.{name}", self.place) };
        Self { place, value, members: value.and_then(Value::as_object) }
    }

    pub(super) fn is_object(&self) -> bool {
        self.members.is_some()
    }
}

impl Reader {
    /// A text that the report must have. `missing` is the rule if it has none.
    pub(super) fn text(&mut self, member: &Member<'_>, missing: Rule) -> Option<String> {
        if member.value.is_none() {
            self.departures.note(missing, &member.place);
        }
        self.optional_text(member)
    }

    /// A text that the report may have.
    pub(super) fn optional_text(&mut self, member: &Member<'_>) -> Option<String> {
        match member.value? {
            Value::String(text) => Some(self.texts.short(text.trim())),
            Value::Null => {
                self.departures.note(Rule::Null, &member.place);
                None
            }
            Value::Number(number) => {
                self.departures.note(Rule::NotText, &member.place);
                Some(number.to_string())
            }
            _ => {
                self.departures.note(Rule::NotText, &member.place);
                None
            }
        }
    }

    /// A name of the RFC, in lower case.
    pub(super) fn name(&mut self, member: &Member<'_>, missing: Rule) -> String {
        let found = self.text(member, missing).unwrap_or_default();
        let name = found.to_lowercase();
        if name != found {
            self.departures.note_value(Rule::Case, &member.place, &found);
        }
        name
    }

    /// A number of sessions.
    pub(super) fn count(&mut self, member: &Member<'_>) -> Option<u64> {
        let Some(value) = member.value else {
            self.departures.note(Rule::Missing, &member.place);
            return None;
        };
        match value {
            Value::Null => self.departures.note(Rule::Null, &member.place),
            Value::String(text) => {
                let number = text.trim().parse().ok();
                let rule = if number.is_some() { Rule::NumberAsText } else { Rule::NotANumber };
                self.departures.note_value(rule, &member.place, text);
                return number;
            }
            value => match value.as_u64().or_else(|| whole(value)) {
                Some(number) => return Some(number),
                None => self.departures.note(Rule::NotANumber, &member.place),
            },
        }
        None
    }

    /// The texts of an array: lines of a policy, TLSA records, patterns of hosts.
    pub(super) fn texts(&mut self, member: &Member<'_>) -> Vec<String> {
        let mut texts = Vec::new();
        for item in list(&mut self.departures, &member.place, member.value) {
            match item {
                Value::String(text) => match as_list(text) {
                    Some(inner) => {
                        self.departures.note(Rule::ListAsText, &member.place);
                        inner.iter().for_each(|text| self.line(&mut texts, text));
                    }
                    None => self.line(&mut texts, text),
                },
                _ => self.departures.note(Rule::NotText, &member.place),
            }
        }
        texts
    }

    fn line(&mut self, texts: &mut Vec<String>, text: &str) {
        match texts.len() < limits::LINES {
            true => texts.push(self.texts.short(text.trim())),
            false => self.left_out += 1,
        }
    }
}

/// A whole number that is written as `12.0` or `1.2e1`: JSON does not tell it from 12.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is whole, and within the bounds")]
fn whole(value: &Value) -> Option<u64> {
    /// Above it, such numbers have gaps.
    const MOST: f64 = 9_007_199_254_740_992.0;
    value.as_f64().filter(|number| number.fract() == 0.0 && (0.0..=MOST).contains(number)).map(|number| number as u64)
}

/// The texts in a JSON array that is written as a text.
fn as_list(text: &str) -> Option<Vec<String>> {
    if !text.trim_start().starts_with('[') {
        return None;
    }
    serde_json::from_str(text).ok()
}
