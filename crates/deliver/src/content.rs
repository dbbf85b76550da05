//! The report of one domain and one day: from counters to the JSON of RFC 8460 section 4, compressed, and a summary in words.
//!
//! Some receivers refuse values that mail servers pass. The report then has the same information in a form that they accept;
//! `docs/delivering.md` has the table.

use std::{borrow::Cow, io::Write};

use flate2::{Compression, write::GzEncoder};
use indexmap::IndexMap;
use jiff::{civil::Date, tz::TimeZone};
use serde_json::{Map, Value};
use tlsrpt::{FailureMember, FailureType, PolicyType};
use tlsrpt_format::{
    datagram::{Failure, FailureDetails, PolicyDescription},
    report::{DateRange, Document, FailureName, FailureResults, PolicyName, PolicyResults, SessionCounts},
};
use tlsrpt_store::{FailureCounts, PolicyCounts};

use crate::summary::{self, Heading};

/// The most text of failure details in a report, in bytes as stored. It limits the memory of the reporter. The most frequent
/// details stay, as with [`ContentSettings::max_failure_details`].
pub(crate) const MOST_TEXT: u64 = 2 << 20;

/// What all reports have in common.
#[derive(Debug, Clone)]
pub struct ContentSettings {
    /// "organization-name".
    pub organization: String,
    /// "contact-info".
    pub contact: String,
    /// The domain of the From address: the submitter of RFC 8460 section 5.1.
    pub submitter: String,
    /// Part of the report id: distinguishes the reports of several hosts of one submitter.
    pub host: String,
    /// The largest compressed report, in bytes. Details of failures are left out to meet it.
    pub max_size: usize,
    /// The most failure details of a report. The most frequent stay.
    pub max_failure_details: usize,
    /// The members to omit for the privacy of the sending host.
    pub privacy: Privacy,
}

/// The members of failures to omit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Privacy {
    /// "sending-mta-ip".
    pub omit_sending_mta_ip: bool,
    /// "additional-information".
    pub omit_additional_information: bool,
    /// "failure-reason-code".
    pub omit_failure_reason_code: bool,
    /// "receiving-mx-helo".
    pub omit_receiving_mx_helo: bool,
}

/// A report as it is kept and sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The report id, in the JSON, in the Subject and in the Message-ID.
    pub id: String,
    /// The file name of RFC 8460 section 5.1.
    pub file_name: String,
    /// The JSON text, compressed by gzip.
    pub compressed: Vec<u8>,
    /// The report in words.
    pub summary: String,
    /// Sessions that met their policy.
    pub succeeded: u64,
    /// Sessions that did not.
    pub failed: u64,
    /// Failure details that were added up into others, for the limits of size and number.
    pub left_out: usize,
}

/// Which report it is.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The policy domain, a host name in lower case.
    pub domain: &'a str,
    /// The UTC day.
    pub day: Date,
    /// 1 for the first report of the domain about the day; a later one has what arrived after that.
    pub number: u32,
}

/// Makes the report. `None`: there is nothing to report.
#[must_use]
pub fn content(subject: Subject<'_>, counts: &[PolicyCounts], settings: &ContentSettings) -> Option<Content> {
    let mut policies = policies(subject.domain, counts, settings.privacy);
    if policies.is_empty() {
        return None;
    }
    let Subject { domain, day, number } = subject;
    let id = format!("{day}.{number}.{}.{domain}@{}", settings.host, settings.submitter);
    let document = |policies: &[PolicyResults<'_>]| {
        let document = Document {
            organization_name: &settings.organization,
            date_range: DateRange::of(day),
            contact_info: &settings.contact,
            report_id: Cow::Borrowed(&id),
            policies: Cow::Borrowed(policies),
        };
        gzip(|encoder| Ok(serde_json::to_writer(encoder, &document)?))
    };
    let mut most = settings.max_failure_details;
    let mut left_out = keep_most_frequent(&mut policies, most);
    let mut bytes = document(&policies);
    while bytes.len() > settings.max_size && most > 0 {
        most = most.min(details(&policies).count()) / 2;
        left_out += keep_most_frequent(&mut policies, most);
        bytes = document(&policies);
    }
    let heading = Heading { domain, day, id: &id, organization: &settings.organization, contact: &settings.contact };
    Some(Content {
        file_name: file_name(subject, &settings.submitter),
        summary: summary::in_words(&heading, &policies),
        succeeded: policies.iter().map(|policy| policy.summary.succeeded).sum(),
        failed: policies.iter().map(|policy| policy.summary.failed).sum(),
        compressed: bytes,
        left_out,
        id,
    })
}

/// The file name of RFC 8460 section 5.1: submitter, policy domain, first and last second, and a number where it is not the first.
pub(crate) fn file_name(Subject { domain, day, number }: Subject<'_>, submitter: &str) -> String {
    const SECONDS_OF_A_DAY: i64 = 24 * 60 * 60;
    let first = day.to_zoned(TimeZone::UTC).map_or(0, |zoned| zoned.timestamp().as_second());
    let last = first + SECONDS_OF_A_DAY - 1;
    let unique = if number > 1 { format!("!{number}") } else { String::new() };
    format!("{submitter}!{domain}!{first}!{last}{unique}.json.gz")
}

/// The policies of the report. Counts are added up for the same policy under two records of the day, and for failures that are equal
/// without the omitted members.
fn policies<'a>(domain: &'a str, counts: &'a [PolicyCounts], privacy: Privacy) -> Vec<PolicyResults<'a>> {
    let mut of: IndexMap<PolicyName<'a>, (SessionCounts, IndexMap<FailureName<'a>, u64>)> = IndexMap::new();
    for PolicyCounts { policy, succeeded, failed, failures, .. } in counts {
        // A policy of a type that RFC 8460 does not have is in no report.
        let Some(name) = policy_name(domain, policy.as_ref()) else { continue };
        let (sessions, of_failures) = of.entry(name).or_default();
        sessions.succeeded += succeeded;
        sessions.failed += failed;
        for FailureCounts { failure, times } in failures {
            *of_failures.entry(failure_name(failure.as_ref(), privacy)).or_default() += times;
        }
    }
    let results = of.into_iter().map(|(policy, (summary, failures))| PolicyResults {
        policy,
        summary,
        failure_details: failures
            .into_iter()
            .map(|(name, failed_session_count)| FailureResults { name, failed_session_count })
            .collect(),
    });
    results
        .filter(|policy| policy.summary.succeeded + policy.summary.failed > 0 || !policy.failure_details.is_empty())
        .collect()
}

fn policy_name<'a>(domain: &'a str, policy: Option<&'a PolicyDescription>) -> Option<PolicyName<'a>> {
    let Some(policy) = policy else {
        // Sessions over the limit of policies a day: the store counts them without their policy.
        return Some(PolicyName {
            policy_type: PolicyType::NoPolicyFound.rfc_name()?,
            policy_string: None,
            policy_domain: Some(domain.into()),
            mx_host: None,
            others: Cow::default(),
        });
    };
    Some(PolicyName {
        policy_type: policy.policy_type().ok()?,
        policy_string: policy.policy_string.as_deref().map(Cow::Borrowed),
        // Receivers refuse a report without it.
        policy_domain: Some(policy.policy_domain.as_deref().unwrap_or(domain).into()),
        mx_host: policy.mx_host.as_deref().map(Cow::Borrowed),
        others: without_nulls(&policy.others),
    })
}

fn without_nulls(members: &Map<String, Value>) -> Cow<'_, Map<String, Value>> {
    if members.values().any(Value::is_null) {
        let some = members.iter().filter(|(_, value)| !value.is_null());
        Cow::Owned(some.map(|(name, value)| (name.clone(), value.clone())).collect())
    } else {
        Cow::Borrowed(members)
    }
}

fn failure_name(failure: Option<&Failure>, privacy: Privacy) -> FailureName<'static> {
    let Some(failure) = failure else {
        let reason = "failures over the limit of the reporter".into();
        let mut details = FailureDetails::default();
        details.set(FailureMember::FailureReasonCode, Some(reason));
        return unnamed(details);
    };
    let mut details = failure.details.clone();
    let helo = details.get(FailureMember::ReceivingMxHelo).and_then(host_of_helo);
    details.set(FailureMember::ReceivingMxHelo, helo);
    let left_out = [
        (privacy.omit_sending_mta_ip, FailureMember::SendingMtaIp),
        (privacy.omit_receiving_mx_helo, FailureMember::ReceivingMxHelo),
        (privacy.omit_additional_information, FailureMember::AdditionalInformation),
        (privacy.omit_failure_reason_code, FailureMember::FailureReasonCode),
    ];
    for (_, member) in left_out.into_iter().filter(|(omit, _)| *omit) {
        details.set(member, None);
    }

    match failure.result_type() {
        Ok(result_type) => FailureName { result_type: Some(result_type), details: Cow::Owned(details) },
        Err(number) => {
            let reason = match details.get(FailureMember::FailureReasonCode) {
                Some(reason) => format!("{number}: {reason}"),
                None => number.to_string(),
            };
            details.set(FailureMember::FailureReasonCode, Some(reason));
            unnamed(details)
        }
    }
}

/// A failure that has no result type of its own in RFC 8460 section 4.3.
fn unnamed(details: FailureDetails) -> FailureName<'static> {
    FailureName { result_type: FailureType::ValidationFailure.rfc_name(), details: Cow::Owned(details) }
}

/// The host name in what a mail server passes as HELO. Postfix passes the whole answer to EHLO, with its lines.
fn host_of_helo(helo: &str) -> Option<String> {
    let line = helo.lines().next().unwrap_or_default();
    let line = line.strip_prefix("250-").or_else(|| line.strip_prefix("250 ")).unwrap_or(line);
    line.split_whitespace().next().map(str::to_owned)
}

/// The entries of the report that tell details of failures.
fn details<'p>(policies: &'p [PolicyResults<'_>]) -> impl Iterator<Item = &'p FailureResults<'p>> {
    policies.iter().flat_map(|policy| &policy.failure_details).filter(|failure| !is_sum(failure))
}

/// Whether an entry has no details: others may be added up into it.
fn is_sum(failure: &FailureResults<'_>) -> bool {
    failure.name.details.known().next().is_none()
}

/// Keeps the most frequent details of the whole report, and adds the others up into one for each policy and result type. How many
/// were added up.
fn keep_most_frequent(policies: &mut [PolicyResults<'_>], most: usize) -> usize {
    let mut counts: Vec<u64> = details(policies).map(|failure| failure.failed_session_count).collect();
    let all = counts.len();
    if all <= most {
        return 0;
    }
    counts.sort_unstable_by(|a, b| b.cmp(a));
    // Those above the limit stay; of those at it, as many as there is room for.
    let limit = counts.get(most).copied().unwrap_or_default();
    let mut room = most - counts.iter().take_while(|count| **count > limit).count();
    for policy in policies {
        let mut rest: IndexMap<Option<&'static str>, u64> = IndexMap::new();
        policy.failure_details.retain(|failure| {
            let count = failure.failed_session_count;
            let stays = is_sum(failure)
                || count > limit
                || count == limit && room > 0 && {
                    room -= 1;
                    true
                };
            if !stays {
                *rest.entry(failure.name.result_type).or_default() += failure.failed_session_count;
            }
            stays
        });
        for (result_type, sum) in rest {
            let added_up =
                |failure: &&mut FailureResults<'_>| is_sum(failure) && failure.name.result_type == result_type;
            match policy.failure_details.iter_mut().find(added_up) {
                Some(failure) => failure.failed_session_count += sum,
                None => policy.failure_details.push(FailureResults {
                    name: FailureName { result_type, details: Cow::Owned(FailureDetails::default()) },
                    failed_session_count: sum,
                }),
            }
        }
    }
    all - most
}

/// The bytes, compressed by gzip.
pub(crate) fn compressed(bytes: &[u8]) -> Vec<u8> {
    gzip(|encoder| encoder.write_all(bytes))
}

/// What `write` writes, compressed by gzip. Into memory, writing does not fail.
fn gzip(write: impl FnOnce(&mut GzEncoder<Vec<u8>>) -> std::io::Result<()>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let _ = write(&mut encoder);
    let _ = encoder.flush();
    encoder.finish().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use serde_json::{Value, json};
    use tlsrpt_format::datagram::{Failure, PolicyDescription};
    use tlsrpt_store::{FailureCounts, PolicyCounts};

    use super::{ContentSettings, Privacy, Subject, content};

    fn settings() -> ContentSettings {
        ContentSettings {
            organization: "Sender GmbH".into(),
            contact: "tlsrpt@sender.example".into(),
            submitter: "sender.example".into(),
            host: "mx1".into(),
            max_size: 10 << 20,
            max_failure_details: 10_000,
            privacy: Privacy::default(),
        }
    }

    fn policy(policy: &Value, succeeded: u64, failed: u64, failures: &[(Value, u64)]) -> PolicyCounts {
        let failures = failures.iter().map(|(failure, times)| FailureCounts {
            failure: Some(Failure::from_json(&failure.to_string()).unwrap()),
            times: *times,
        });
        PolicyCounts {
            record: "v=TLSRPTv1;rua=mailto:r@a.example".into(),
            policy: Some(PolicyDescription::from_json(&policy.to_string()).unwrap()),
            succeeded,
            failed,
            failures: failures.collect(),
        }
    }

    fn subject() -> Subject<'static> {
        Subject { domain: "a.example", day: "2026-11-23".parse().unwrap(), number: 1 }
    }

    fn json_of(counts: &[PolicyCounts], settings: &ContentSettings) -> Value {
        let made = content(subject(), counts, settings).unwrap();
        let mut text = String::new();
        flate2::read::GzDecoder::new(&made.compressed[..]).read_to_string(&mut text).unwrap();
        assert!(!text.contains("null"), "{text}");
        serde_json::from_str(&text).unwrap()
    }

    fn details(counts: &[PolicyCounts], settings: &ContentSettings) -> Value {
        json_of(counts, settings)["policies"][0]["failure-details"].clone()
    }

    #[test]
    fn a_report_has_the_form_of_the_rfc() {
        let sts = json!({"policy-type": 2, "policy-domain": "a.example", "policy-string": ["version: STSv1"],
            "mx-host": ["*.a.example"]});
        let failure = json!({"c": 204, "s": "192.0.2.1", "n": "mx.a.example", "h": "mx.a.example", "r": "192.0.2.2"});
        let counts = [policy(&sts, 5, 3, &[(failure, 3)]), policy(&json!({"policy-type": 9}), 1, 0, &[])];
        let expected = json!({
            "organization-name": "Sender GmbH",
            "date-range": {"start-datetime": "2026-11-23T00:00:00Z", "end-datetime": "2026-11-23T23:59:59Z"},
            "contact-info": "tlsrpt@sender.example",
            "report-id": "2026-11-23.1.mx1.a.example@sender.example",
            "policies": [{
                "policy": {"policy-type": "sts", "policy-domain": "a.example", "policy-string": ["version: STSv1"],
                    "mx-host": ["*.a.example"]},
                "summary": {"total-successful-session-count": 5, "total-failure-session-count": 3},
                "failure-details": [{"result-type": "certificate-expired", "sending-mta-ip": "192.0.2.1",
                    "receiving-mx-hostname": "mx.a.example", "receiving-mx-helo": "mx.a.example",
                    "receiving-ip": "192.0.2.2", "failed-session-count": 3}],
            }, {
                "policy": {"policy-type": "no-policy-found", "policy-domain": "a.example"},
                "summary": {"total-successful-session-count": 1, "total-failure-session-count": 0},
                "failure-details": [],
            }],
        });
        assert_eq!(json_of(&counts, &settings()), expected);
        let made = content(subject(), &counts, &settings()).unwrap();
        assert_eq!(made.file_name, "sender.example!a.example!1795392000!1795478399.json.gz");
        assert_eq!((made.succeeded, made.failed, made.left_out), (6, 3, 0));
        let second = content(Subject { number: 2, ..subject() }, &counts, &settings()).unwrap();
        assert_eq!(second.file_name, "sender.example!a.example!1795392000!1795478399!2.json.gz");
    }

    #[test]
    fn what_receivers_choke_on_is_said_otherwise() {
        let none = json!({"policy-type": 9});
        let cases = [
            (json!({"c": 901}), json!({"result-type": "validation-failure", "failure-reason-code": "901"})),
            (
                json!({"c": 999, "f": "why"}),
                json!({"result-type": "validation-failure", "failure-reason-code": "999: why"}),
            ),
            (
                json!({"c": 205, "h": "mx.a.example\r\nPIPELINING\r\nSIZE 1\r\n"}),
                json!({"result-type": "validation-failure", "receiving-mx-helo": "mx.a.example"}),
            ),
            (
                json!({"c": 205, "h": "250-mx.a.example Hello [192.0.2.1]\r\n250 SIZE"}),
                json!({"result-type": "validation-failure", "receiving-mx-helo": "mx.a.example"}),
            ),
            (json!({"c": 205, "h": " \r\n"}), json!({"result-type": "validation-failure"})),
        ];
        for (failure, mut expected) in cases {
            expected["failed-session-count"] = 1.into();
            assert_eq!(details(&[policy(&none, 0, 1, &[(failure, 1)])], &settings()), json!([expected]));
        }
    }

    #[test]
    fn a_record_that_changed_within_the_day_does_not_split_the_counts() {
        let none = json!({"policy-type": 9});
        let mut later = policy(&none, 2, 1, &[(json!({"c": 201}), 1)]);
        later.record = "v=TLSRPTv1;rua=mailto:other@a.example".into();
        let report = json_of(&[policy(&none, 1, 1, &[(json!({"c": 201}), 1)]), later], &settings());
        assert_eq!(report["policies"].as_array().map(Vec::len), Some(1));
        let summary = json!({"total-successful-session-count": 3, "total-failure-session-count": 2});
        assert_eq!(report["policies"][0]["summary"], summary);
        assert_eq!(report["policies"][0]["failure-details"][0]["failed-session-count"], 2);
    }

    #[test]
    fn the_most_frequent_details_stay_and_the_others_are_added_up() {
        let none = json!({"policy-type": 9});
        let failures: Vec<_> =
            (1..=10).map(|n| (json!({"c": if n % 2 == 0 { 201 } else { 204 }, "n": format!("mx{n}")}), n)).collect();
        let settings = ContentSettings { max_failure_details: 3, ..settings() };
        let made = details(&[policy(&none, 0, 55, &failures)], &settings);
        let expected = json!([
            {"result-type": "starttls-not-supported", "receiving-mx-hostname": "mx8", "failed-session-count": 8},
            {"result-type": "certificate-expired", "receiving-mx-hostname": "mx9", "failed-session-count": 9},
            {"result-type": "starttls-not-supported", "receiving-mx-hostname": "mx10", "failed-session-count": 10},
            {"result-type": "certificate-expired", "failed-session-count": 16},
            {"result-type": "starttls-not-supported", "failed-session-count": 12},
        ]);
        assert_eq!(made, expected);
        assert_eq!(content(subject(), &[policy(&none, 0, 55, &failures)], &settings).unwrap().left_out, 7);
    }

    #[test]
    fn a_report_meets_its_limit_of_size_with_exact_sums() {
        let none = json!({"policy-type": 9});
        let failures: Vec<_> = (0..2000)
            .map(|n: u32| (json!({"c": 204, "n": format!("{:x}", n.wrapping_mul(2_654_435_761))}), 1))
            .collect();
        let settings = ContentSettings { max_size: 4096, ..settings() };
        let made = content(subject(), &[policy(&none, 0, 2000, &failures)], &settings).unwrap();
        assert!(made.compressed.len() <= 4096, "{}", made.compressed.len());
        let sum: u64 = details(&[policy(&none, 0, 2000, &failures)], &settings)
            .as_array()
            .unwrap()
            .iter()
            .map(|failure| failure["failed-session-count"].as_u64().unwrap())
            .sum();
        assert_eq!(sum, 2000);
    }

    #[test]
    fn what_is_private_is_left_out_and_equal_failures_meet() {
        let none = json!({"policy-type": 9});
        let failures = [
            (json!({"c": 205, "s": "192.0.2.1", "a": "x", "f": "y", "h": "z"}), 1),
            (json!({"c": 205, "s": "192.0.2.2"}), 2),
        ];
        let privacy = Privacy {
            omit_sending_mta_ip: true,
            omit_additional_information: true,
            omit_failure_reason_code: true,
            omit_receiving_mx_helo: true,
        };
        let made = details(&[policy(&none, 0, 3, &failures)], &ContentSettings { privacy, ..settings() });
        assert_eq!(made, json!([{"result-type": "validation-failure", "failed-session-count": 3}]));
    }

    #[test]
    fn nothing_makes_no_report() {
        assert_eq!(content(subject(), &[], &settings()), None);
        assert_eq!(content(subject(), &[policy(&json!({"policy-type": 0}), 1, 0, &[])], &settings()), None);
        assert_eq!(content(subject(), &[policy(&json!({"policy-type": 9}), 0, 0, &[])], &settings()), None);
    }
}
