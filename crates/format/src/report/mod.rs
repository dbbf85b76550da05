//! The reports of RFC 8460 section 4, made from events in memory.
//!
//! There is one report for each day (in UTC), domain and TLSRPT record, with the same content as those of
//! tlsrpt-reporter. The members that RFC 8460 leaves to the sender (organization, contact, report id) and the order may
//! differ.

mod document;
mod memory;
mod tally;

use std::{borrow::Cow, fmt};

use indexmap::IndexMap;
use jiff::{Timestamp, tz::TimeZone};

pub use document::{DateRange, Document, FailureName, FailureResults, PolicyName, PolicyResults, SessionCounts};
pub use tally::Subject;
use tally::Tally;

use crate::datagram::{Event, Failure, Policy, PolicyDescription, normalized_domain};
use crate::printable;

/// The organization that sends reports.
#[derive(Debug, Clone)]
pub struct Sender {
    /// "organization-name": its name.
    pub organization: String,
    /// "contact-info": its address for questions.
    pub contact: String,
}

/// Counts events for reports, in bounded memory.
#[derive(Debug)]
pub struct Reports {
    of: IndexMap<Subject, IndexMap<PolicyDescription, Tally>>,
    /// The memory in bytes, an upper estimate.
    memory: usize,
    most_memory: usize,
    left_out: u64,
}

impl Reports {
    /// Makes reports without events. `most_memory` limits their memory, in bytes.
    pub fn new(most_memory: usize) -> Self {
        Self { of: IndexMap::new(), memory: 0, most_memory, left_out: 0 }
    }

    /// The number of events that are in no report, because their domain, policy or failure is new and does not fit the
    /// memory.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Counts an event. If a part of it does not fit the memory, the whole event is left out.
    pub fn add(&mut self, at: Timestamp, event: Event) {
        let subject = Subject {
            day: at.to_zoned(TimeZone::UTC).date(),
            domain: normalized_domain(&event.domain),
            record: event.record,
        };
        let memory = self.memory.saturating_add(self.memory_for(&subject, &event.policies));
        if memory > self.most_memory {
            self.left_out += 1;
            return;
        }
        self.memory = memory;
        let policies = self.of.entry(subject).or_default();
        for policy in event.policies {
            let succeeded = policy.succeeded();
            let tally = policies.entry(policy.description).or_default();
            tally.successful += u64::from(succeeded);
            tally.failed += u64::from(!succeeded);
            for failure in policy.failures {
                *tally.failures.entry(failure).or_default() += 1;
            }
        }
    }

    /// The memory for the domain, policies and failures that are new.
    fn memory_for(&self, subject: &Subject, policies: &[Policy]) -> usize {
        let known = self.of.get(subject);
        let of_policy = |policy: &Policy| {
            let tally = known.and_then(|known| known.get(&policy.description));
            let is_new = |failure: &&Failure| !tally.is_some_and(|tally| tally.failures.contains_key(*failure));
            let of_description = if tally.is_none() { memory::of_policy(&policy.description) } else { 0 };
            of_description + policy.failures.iter().filter(is_new).map(memory::of_failure).sum::<usize>()
        };
        let of_subject = if known.is_none() { memory::of_subject(subject) } else { 0 };
        of_subject + policies.iter().map(of_policy).sum::<usize>()
    }

    /// The reports, in the order of their first events.
    pub fn make<'a>(&'a self, sender: &'a Sender) -> impl Iterator<Item = (&'a Subject, Document<'a>)> {
        self.of.iter().enumerate().map(|(index, (subject, policies))| {
            let report = Document {
                organization_name: &sender.organization,
                date_range: DateRange::of(subject.day),
                contact_info: &sender.contact,
                report_id: format!("{}_{}_{}", subject.day, index + 1, subject.domain).into(),
                policies: policies.iter().filter_map(|(policy, tally)| policy_results(policy, tally)).collect(),
            };
            (subject, report)
        })
    }

    /// The policies and failures for which RFC 8460 has no name.
    pub fn oddities(&self) -> impl Iterator<Item = Oddity<'_>> {
        self.of.iter().flat_map(|(Subject { domain, .. }, policies)| {
            policies.iter().flat_map(move |(policy, tally)| {
                let policy_type = policy.policy_type().err().map(|number| Oddity::PolicyType { domain, number });
                let failures = tally.failures.keys().filter_map(|failure| failure.result_type().err());
                policy_type.into_iter().chain(failures.map(move |number| Oddity::FailureType { domain, number }))
            })
        })
    }
}

/// A type in an event for which RFC 8460 has no name.
#[derive(Debug, PartialEq, Eq)]
pub enum Oddity<'a> {
    /// A policy type without a name. The policy is in no report.
    PolicyType {
        /// The domain of the report.
        domain: &'a str,
        /// The number in the datagram.
        number: i32,
    },
    /// A failure type without a name. The failure is in the report without a result-type.
    FailureType {
        /// The domain of the report.
        domain: &'a str,
        /// The number in the datagram.
        number: i32,
    },
}

impl fmt::Display for Oddity<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::PolicyType { domain, .. } | Self::FailureType { domain, .. }) = self;
        let domain = printable(domain);
        match self {
            Self::PolicyType { number, .. } => {
                write!(out, "{domain}: a policy of the unknown type {number} is in no report")
            }
            Self::FailureType { number, .. } => {
                write!(out, "{domain}: a failure of type {number}, which has no name in RFC 8460, has no result-type")
            }
        }
    }
}

fn policy_results<'a>(policy: &'a PolicyDescription, tally: &'a Tally) -> Option<PolicyResults<'a>> {
    let name = PolicyName {
        policy_type: policy.policy_type().ok()?,
        policy_string: policy.policy_string.as_deref().map(Cow::Borrowed),
        policy_domain: policy.policy_domain.as_deref().map(Cow::Borrowed),
        mx_host: policy.mx_host.as_deref().map(Cow::Borrowed),
        others: Cow::Borrowed(&policy.others),
    };
    let failures = tally.failures.iter().map(|(failure, count)| FailureResults {
        name: FailureName { result_type: failure.result_type().ok(), details: Cow::Borrowed(&failure.details) },
        failed_session_count: *count,
    });
    let summary = SessionCounts { succeeded: tally.successful, failed: tally.failed };
    Some(PolicyResults { policy: name, summary, failure_details: failures.collect() })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::{Value, json};

    use super::{Oddity, Reports, Sender};
    use crate::datagram;

    const NOON: i64 = 1_795_262_400;

    fn reports_of(events: &[(i64, Value)]) -> Reports {
        let mut reports = Reports::new(usize::MAX);
        for (second, event) in events {
            let event = datagram::parse(event.to_string().as_bytes()).unwrap();
            reports.add(Timestamp::from_second(*second).unwrap(), event);
        }
        reports
    }

    fn as_json(reports: &Reports) -> Vec<Value> {
        let sender = Sender { organization: "Sender Inc".into(), contact: "tlsrpt@sender.test".into() };
        reports.make(&sender).map(|(_, report)| serde_json::to_value(report).unwrap()).collect()
    }

    fn event(domain: &str, policies: Value) -> Value {
        json!({"dpv": "1", "d": domain, "pr": "v=TLSRPTv1;rua=mailto:a@b.example", "policies": policies})
    }

    #[test]
    fn equal_policies_and_equal_failures_are_counted_together() {
        let failed = json!({"policy-type": 2, "policy-domain": "a.example", "policy-string": ["version: STSv1"],
            "mx-host": ["*.a.example"], "failure-details": [{"c": 204, "s": "192.0.2.1"}, {"c": 204, "s": "192.0.2.1"},
            {"c": 201, "n": "mx", "h": "helo", "r": "::1", "a": "more", "f": "why"}], "t": 3, "f": 1});
        let succeeded = json!({"policy-type": 2, "policy-domain": "a.example", "policy-string": ["version: STSv1"],
            "mx-host": ["*.a.example"], "t": 0, "f": 0});
        let reports = reports_of(&[
            (NOON, event("A.example.", json!([failed]))),
            (NOON, event("a.example", json!([succeeded]))),
            (NOON, event("a.example", json!([succeeded, {"policy-type": 9, "t": 0, "f": 0}]))),
        ]);
        let expected = json!({
            "organization-name": "Sender Inc",
            "date-range": {"start-datetime": "2026-11-21T00:00:00Z", "end-datetime": "2026-11-21T23:59:59Z"},
            "contact-info": "tlsrpt@sender.test",
            "report-id": "2026-11-21_1_a.example",
            "policies": [{
                "policy": {"policy-type": "sts", "policy-string": ["version: STSv1"], "policy-domain": "a.example",
                    "mx-host": ["*.a.example"]},
                "summary": {"total-successful-session-count": 2, "total-failure-session-count": 1},
                "failure-details": [
                    {"result-type": "certificate-expired", "sending-mta-ip": "192.0.2.1", "failed-session-count": 2},
                    {"result-type": "starttls-not-supported", "receiving-mx-hostname": "mx",
                        "receiving-mx-helo": "helo", "receiving-ip": "::1", "additional-information": "more",
                        "failure-reason-code": "why", "failed-session-count": 1},
                ],
            }, {
                "policy": {"policy-type": "no-policy-found"},
                "summary": {"total-successful-session-count": 1, "total-failure-session-count": 0},
                "failure-details": [],
            }],
        });
        assert_eq!(as_json(&reports), [expected]);
        assert_eq!(reports.oddities().count(), 0);
    }

    #[test]
    fn each_day_and_record_has_a_report_even_if_the_clock_jumps() {
        let policies = json!([{"policy-type": 9, "t": 0, "f": 0}]);
        let mut other_record = event("a.example", policies.clone());
        other_record["pr"] = "v=TLSRPTv1;rua=mailto:c@d.example".into();
        let day = 24 * 60 * 60;
        let reports = reports_of(&[
            (NOON, event("a.example", policies.clone())),
            (NOON, other_record),
            (NOON + 1000 * day, event("a.example", policies.clone())),
            (-day, event("a.example", policies.clone())),
            (NOON, event("a.example", policies)),
        ]);
        let made = as_json(&reports);
        let days: Vec<_> = made.iter().map(|report| &report["date-range"]["start-datetime"]).collect();
        assert_eq!(
            days,
            ["2026-11-21T00:00:00Z", "2026-11-21T00:00:00Z", "2029-08-17T00:00:00Z", "1969-12-31T00:00:00Z"]
        );
        let first = &made[0]["policies"][0]["summary"]["total-successful-session-count"];
        assert_eq!(*first, 2);
        let ids: std::collections::HashSet<_> = made.iter().map(|report| report["report-id"].to_string()).collect();
        assert_eq!(ids.len(), made.len());
    }

    #[test]
    fn events_that_do_not_fit_the_memory_are_left_out_whole_and_counted() {
        let unknown = |name: &str| event("a.example", json!([{"policy-type": 9, name: [[], [], []], "t": 0, "f": 0}]));
        let failures: Vec<_> = (0..1000).map(|code| json!({"c": code})).collect();
        let failed = event(
            "a.example",
            json!([{"policy-type": 9, "x": [[], [], []], "failure-details": failures, "t": 1000, "f": 1}]),
        );
        let mut reports = Reports::new(4096);
        let mut add = |event: &Value| {
            reports.add(Timestamp::from_second(NOON).unwrap(), datagram::parse(event.to_string().as_bytes()).unwrap());
            (reports.memory, reports.left_out())
        };
        let (first, left_out) = add(&unknown("x"));
        assert!(first > 0 && left_out == 0);
        // An event with nothing new takes no more memory.
        assert_eq!(add(&unknown("x")), (first, 0));
        assert_eq!(add(&failed), (first, 1));
        let (mut memory, mut number) = (first, 0);
        while add(&unknown(&format!("x{number}"))).1 == 1 {
            number += 1;
            let (now, _) = add(&unknown("x"));
            assert!(now > memory && now <= 4096);
            memory = now;
        }
        assert_eq!(add(&unknown("x")), (memory, 2));
        let policies = &as_json(&reports)[0]["policies"];
        assert_eq!(policies.as_array().unwrap().len(), number + 1);
        assert_eq!(policies[0]["summary"]["total-successful-session-count"], number + 3);
    }

    #[test]
    fn types_without_a_name_are_listed() {
        let odd = json!([
            {"policy-type": 0, "t": 0, "f": 0},
            {"policy-type": 1, "failure-details": [{"c": 901}, {"c": 999}], "t": 2, "f": 1},
        ]);
        let reports = reports_of(&[(NOON, event("a.example", odd))]);
        let domain = "a.example";
        let oddities = [
            Oddity::PolicyType { domain, number: 0 },
            Oddity::FailureType { domain, number: 901 },
            Oddity::FailureType { domain, number: 999 },
        ];
        assert_eq!(reports.oddities().collect::<Vec<_>>(), oddities);
        let [report] = &as_json(&reports)[..] else { panic!("one report") };
        assert_eq!(report["policies"].as_array().unwrap().len(), 1);
        assert_eq!(
            report["policies"][0]["failure-details"],
            json!([{"failed-session-count": 1}, {"failed-session-count": 1}])
        );
    }

    #[test]
    fn unknown_members_of_a_policy_are_published() {
        let policies = json!([{"policy-type": 9, "new": {"x": 1}, "t": 0, "f": 0}]);
        let reports = reports_of(&[(NOON, event("a.example", policies))]);
        assert_eq!(
            as_json(&reports)[0]["policies"][0]["policy"],
            json!({"policy-type": "no-policy-found", "new": {"x": 1}})
        );
    }
}
