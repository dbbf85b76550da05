//! Reads the JSON text of one report, as real senders write it.

mod list;
mod members;
mod policy;
mod reader;
mod size;
mod time;

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::{
    Report, Rule, limits,
    reading::{list::list, members::Member, reader::Reader},
};

/// Why a text is not a report that can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is no JSON.
    #[error("it is not valid JSON: {0}")]
    NotJson(String),
    /// It has too many values.
    #[error("it has more than {} values, which is more than a report is read with", limits::VALUES)]
    TooManyValues,
    /// It is JSON, and something else than a report.
    #[error("it is JSON, but not a TLS report: {0}")]
    NotAReport(&'static str),
}

/// Reads a report.
///
/// # Errors
///
/// [`Unreadable`] if it cannot be decided what the report says.
pub fn read(json: &[u8]) -> Result<Report, Unreadable> {
    let mut reader = Reader::default();
    let text = reader.decode(json);
    if size::has_more_values_than(text.as_bytes(), limits::VALUES) {
        return Err(Unreadable::TooManyValues);
    }
    let value = serde_json::from_str(&text).map_err(|error| Unreadable::NotJson(error.to_string()))?;
    let Value::Object(members) = value else { return Err(Unreadable::NotAReport("it is not an object")) };
    reader.report(&members)
}

/// What is behind a byte order mark, if the text begins with one.
pub(crate) fn without_mark(text: &[u8]) -> Option<&[u8]> {
    text.strip_prefix(b"\xef\xbb\xbf")
}

impl Reader {
    fn decode<'j>(&mut self, json: &'j [u8]) -> Cow<'j, str> {
        let bytes = without_mark(json);
        if bytes.is_some() {
            self.departures.note(Rule::Mark, "the text");
        }
        let text = String::from_utf8_lossy(bytes.unwrap_or(json));
        if matches!(text, Cow::Owned(_)) {
            self.departures.note(Rule::Encoding, "the text");
        }
        text
    }

    fn report(mut self, members: &Map<String, Value>) -> Result<Report, Unreadable> {
        let Some(found) = members.get("policies") else {
            return Err(Unreadable::NotAReport("it has no member policies"));
        };
        let root = Member::root(members);
        let organization = self.text(&root.of("organization-name"), Rule::Missing).unwrap_or_default();
        let report_id = self.text(&root.of("report-id"), Rule::Missing).unwrap_or_default();
        let contact = self.text(&root.of("contact-info"), Rule::Missing);
        let (begin, end) = self.range(&root.of("date-range"));
        let mut policies = Vec::new();
        for (index, item) in list(&mut self.departures, "policies", Some(found)).iter().enumerate() {
            match item {
                Value::Object(_) if policies.len() >= limits::POLICIES => self.left_out += 1,
                Value::Object(members) => policies.push(self.policy(members, index)),
                _ => self.departures.note(Rule::NotAnObject, format_args!("policies[{index}]")),
            }
        }
        if policies.is_empty() && !matches!(found, Value::Array(_)) {
            return Err(Unreadable::NotAReport("its member policies has no policies"));
        }
        let (departures, shortened) = (self.departures.into_list(), self.texts.shortened);
        let left_out = self.left_out;
        Ok(Report { organization, report_id, contact, begin, end, policies, departures, left_out, shortened })
    }
}
