//! The policies of a report and their failures.

use serde_json::{Map, Value};
use tlsrpt::{FailureMember, FailureType, PolicyType};
use tlsrpt_format::datagram::FailureDetails;

use super::{list::list, members::Member, reader::Reader};
use crate::{FailureEntry, PolicyEntry, Rule, limits};

/// The name of the count in the figure of RFC 8460 section 4.4, where a colon is inside of the quotes.
const MISPRINTED: &str = "total-failure-session-count:";
/// What is before the name of a host in the file of an MTA-STS policy.
const MX_LINE: &str = "mx:";

impl Reader {
    pub(super) fn policy(&mut self, members: &Map<String, Value>, index: usize) -> PolicyEntry {
        let entry = Member::at(format!("policies[{index}]"), members);
        let policy = entry.of("policy");
        if !policy.is_object() {
            let rule = if policy.value.is_some() { Rule::NotAnObject } else { Rule::Missing };
            self.departures.note(rule, &policy.place);
        }
        let kind = self.name(&policy.of("policy-type"), Rule::Missing);
        if !kind.is_empty() && PolicyType::from_rfc_name(&kind).is_none() {
            self.departures.note_value(Rule::PolicyType, policy.of("policy-type").place, &kind);
        }
        let domain = self.text(&policy.of("policy-domain"), Rule::Missing).filter(|domain| !domain.is_empty());
        let lines = self.texts(&policy.of("policy-string"));
        let mx_hosts = self.mx_hosts(&policy);
        let (succeeded, failed) = self.summary(&entry.of("summary"));
        let failures = self.failures(&entry, failed);
        let failed = failed.unwrap_or_else(|| failures.iter().fold(0, |sum, entry| sum.saturating_add(entry.sessions)));
        PolicyEntry { kind, domain, lines, mx_hosts, succeeded, failed, failures }
    }

    fn mx_hosts(&mut self, policy: &Member<'_>) -> Vec<String> {
        let (usual, other) = (policy.of("mx-host"), policy.of("mx-host-pattern"));
        if usual.value.is_none() && other.value.is_some() {
            self.departures.note_value(Rule::OtherName, &usual.place, "mx-host-pattern");
        }
        // The description of the member has an array, its example one text.
        let found = match usual.value {
            Some(Value::String(one)) => vec![self.texts.short(one.trim())],
            Some(_) => self.texts(&usual),
            None => self.texts(&other),
        };
        found.into_iter().map(|host| self.mx_host(host, &usual.place)).collect()
    }

    fn mx_host(&mut self, host: String, place: &str) -> String {
        match host.strip_prefix(MX_LINE) {
            Some(name) => {
                self.departures.note(Rule::MxLine, place);
                name.trim().into()
            }
            None => host,
        }
    }

    /// The sessions that met the policy and those that did not; None where the failures have to tell.
    fn summary(&mut self, summary: &Member<'_>) -> (u64, Option<u64>) {
        if !summary.is_object() {
            let rule = if summary.value.is_some() { Rule::NotAnObject } else { Rule::Missing };
            self.departures.note(rule, &summary.place);
            return (0, None);
        }
        let succeeded = self.count(&summary.of("total-successful-session-count"));
        let (usual, misprinted) = (summary.of("total-failure-session-count"), summary.of(MISPRINTED));
        if usual.value.is_none() && misprinted.value.is_some() {
            self.departures.note_value(Rule::OtherName, &usual.place, MISPRINTED);
            return (succeeded.unwrap_or(0), self.count(&misprinted));
        }
        (succeeded.unwrap_or(0), self.count(&usual))
    }

    fn failures(&mut self, entry: &Member<'_>, failed: Option<u64>) -> Vec<FailureEntry> {
        let details = entry.of("failure-details");
        if details.value.is_none() {
            let rule = if failed == Some(0) { Rule::NoDetails } else { Rule::Missing };
            self.departures.note(rule, &details.place);
        }
        let mut failures = Vec::new();
        for (index, item) in list(&mut self.departures, &details.place, details.value).iter().enumerate() {
            let place = format!("{}[{index}]", details.place);
            match item {
                Value::Object(_) if self.failures >= limits::FAILURES => self.left_out += 1,
                Value::Object(members) => {
                    self.failures += 1;
                    failures.push(self.failure(&Member::at(place, members)));
                }
                _ => self.departures.note(Rule::NotAnObject, place),
            }
        }
        failures.sort_by_key(|failure| std::cmp::Reverse(failure.sessions));
        failures
    }

    fn failure(&mut self, failure: &Member<'_>) -> FailureEntry {
        let kind = failure.of("result-type");
        let result_type = self.name(&kind, Rule::NoResultType);
        if !result_type.is_empty() && FailureType::from_rfc_name(&result_type).is_none() {
            self.departures.note_value(Rule::ResultType, kind.place, &result_type);
        }
        // A failure that is listed happened.
        let sessions = self.count(&failure.of("failed-session-count")).unwrap_or(1);
        let mut details = FailureDetails::default();
        for member in FailureMember::ALL {
            details.set(*member, self.optional_text(&failure.of(member.rfc_name())).filter(|text| !text.is_empty()));
        }
        FailureEntry { result_type, sessions, details }
    }
}
