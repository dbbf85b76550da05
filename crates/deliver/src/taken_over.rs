//! A report that another program made and has not delivered everywhere, as one of ours.

use std::{borrow::Cow, collections::HashSet};

use jiff::{Timestamp, civil::Date};
use serde_json::{Map, Value};
use tlsrpt::{FailureMember, FailureType, PolicyType};
use tlsrpt_format::{
    datagram::FailureDetails,
    report::{FailureName, FailureResults, PolicyName, PolicyResults, SessionCounts},
};
use tlsrpt_store::{DeliveryState, NewDelivery, NewReport};

use crate::{
    PlanSettings, Subject,
    content::{compressed, file_name},
    destination::is_host_name,
    outcome::answer,
    plan::delivery,
    summary::{self, Heading},
};

/// The report as its program kept it.
#[derive(Debug, Clone)]
pub struct ForeignReport {
    /// The policy domain.
    pub domain: String,
    /// The UTC day.
    pub day: Date,
    /// The number among the reports of that program about the domain and the day, from 1.
    pub number: u32,
    /// When it was made.
    pub made: Timestamp,
    /// The text of the report in JSON.
    pub json: String,
    /// Its destinations.
    pub deliveries: Vec<ForeignDelivery>,
}

/// A destination of such a report.
#[derive(Debug, Clone)]
pub struct ForeignDelivery {
    /// The URI in the record.
    pub uri: String,
    /// [`DeliveryState::Waiting`] if the program would have tried it again.
    pub state: DeliveryState,
    /// When the next attempt is due.
    pub due: Timestamp,
    /// What became of it.
    pub answer: String,
}

/// Why a report cannot be taken over.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// No TLSRPT record can be at this name.
    #[error("the name is not a host name")]
    NotADomain,
    /// It is no report.
    #[error("it is not JSON: {0}")]
    NotJson(#[from] serde_json::Error),
    /// It has no id.
    #[error("it has no report-id")]
    NoId,
}

/// The report as the store keeps it. Its text does not change. Destinations that are equal are served once.
///
/// # Errors
///
/// [`NotTaken`].
pub fn taken_over(report: &ForeignReport, settings: &PlanSettings) -> Result<NewReport, NotTaken> {
    if !is_host_name(&report.domain) {
        return Err(NotTaken::NotADomain);
    }
    let document: Value = serde_json::from_str(&report.json)?;
    let submitter = &settings.content.submitter;
    let id = report_id(document["report-id"].as_str().ok_or(NotTaken::NoId)?, submitter);
    let subject = Subject { domain: &report.domain, day: report.day, number: report.number };
    let policies: Vec<_> = array(&document["policies"]).filter_map(policy).collect();
    let heading = Heading {
        domain: &report.domain,
        day: report.day,
        id: &id,
        organization: document["organization-name"].as_str().unwrap_or(&settings.content.organization),
        contact: document["contact-info"].as_str().unwrap_or(&settings.content.contact),
    };
    Ok(NewReport {
        made: report.made,
        file_name: file_name(subject, submitter),
        compressed: compressed(report.json.as_bytes()),
        summary: summary::in_words(&heading, &policies),
        succeeded: policies.iter().map(|policy| policy.summary.succeeded).sum(),
        failed: policies.iter().map(|policy| policy.summary.failed).sum(),
        deliveries: deliveries(report, settings),
        mx_hosts: Vec::new(),
        report_id: id,
    })
}

/// The id as it is in the Subject of mails: with a domain, and without characters that end it there.
fn report_id(id: &str, submitter: &str) -> String {
    let fit = |character: char| character.is_ascii_graphic() && !"<>()[],;\\\"".contains(character);
    let id: String = id.chars().map(|character| if fit(character) { character } else { '-' }).collect();
    if id.contains('@') { id } else { format!("{id}@{submitter}") }
}

fn deliveries(report: &ForeignReport, settings: &PlanSettings) -> Vec<NewDelivery> {
    let all = report.deliveries.iter().map(|foreign| {
        let ours = delivery(&foreign.uri, foreign.due, &settings.ports);
        // A destination that is not served stays so.
        let open = foreign.state == DeliveryState::Waiting;
        if open && ours.state != DeliveryState::Waiting {
            return ours;
        }
        NewDelivery { state: foreign.state, answer: answer(&foreign.answer), ..ours }
    });
    let mut seen = HashSet::new();
    all.filter(|delivery| seen.insert(delivery.destination.clone())).collect()
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// The results under a policy, as far as RFC 8460 has names for them.
fn policy(value: &Value) -> Option<PolicyResults<'_>> {
    let policy = &value["policy"];
    let name = policy["policy-type"].as_str();
    let count = |name: &str| value["summary"][name].as_u64().unwrap_or_default();
    Some(PolicyResults {
        policy: PolicyName {
            policy_type: PolicyType::ALL.iter().filter_map(|kind| kind.rfc_name()).find(|kind| Some(*kind) == name)?,
            policy_string: None,
            policy_domain: policy["policy-domain"].as_str().map(Cow::Borrowed),
            mx_host: None,
            others: Cow::Owned(Map::new()),
        },
        summary: SessionCounts {
            succeeded: count("total-successful-session-count"),
            failed: count("total-failure-session-count"),
        },
        failure_details: array(&value["failure-details"]).map(failure).collect(),
    })
}

fn failure(value: &Value) -> FailureResults<'_> {
    let name = value["result-type"].as_str();
    let mut details = FailureDetails::default();
    for &member in FailureMember::ALL {
        details.set(member, value[member.rfc_name()].as_str().map(str::to_owned));
    }
    FailureResults {
        name: FailureName {
            result_type: FailureType::ALL.iter().filter_map(|kind| kind.rfc_name()).find(|kind| Some(*kind) == name),
            details: Cow::Owned(details),
        },
        failed_session_count: value["failed-session-count"].as_u64().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;
    use jiff::Timestamp;
    use tlsrpt_store::{DeliveryState, NewDelivery};

    use super::{ForeignDelivery, ForeignReport, taken_over};
    use crate::plan::tests::settings;

    const JSON: &str = r#"{"organization-name": "Sender Inc", "date-range": {}, "policies": [{"summary":
        {"total-failure-session-count": 2, "total-successful-session-count": 3}, "policy": {"policy-type": "sts"},
        "failure-details": [{"receiving-mx-helo": "mx", "result-type": "certificate-expired", "failed-session-count": 2}]}],
        "report-id": "2026-11-28T00:00:00Z_idx1_a.example"}"#;

    fn foreign(domain: &str, json: &str, uris: &[(&str, DeliveryState)]) -> ForeignReport {
        let delivery = |(uri, state): &(&str, DeliveryState)| ForeignDelivery {
            uri: (*uri).into(),
            state: *state,
            due: "2026-11-29T08:00:00Z".parse().unwrap(),
            answer: "what became of it".into(),
        };
        ForeignReport {
            domain: domain.into(),
            day: "2026-11-28".parse().unwrap(),
            number: 1,
            made: Timestamp::UNIX_EPOCH,
            json: json.into(),
            deliveries: uris.iter().map(delivery).collect(),
        }
    }

    #[test]
    fn the_text_stays_as_it_was_made() {
        let report = taken_over(&foreign("a.example", JSON, &[]), &settings()).unwrap();
        let mut text = String::new();
        GzDecoder::new(report.compressed.as_slice()).read_to_string(&mut text).unwrap();
        assert_eq!(text, JSON);
        assert_eq!(report.report_id, "2026-11-28T00:00:00Z_idx1_a.example@sender.example");
        assert_eq!(report.file_name, "sender.example!a.example!1795824000!1795910399.json.gz");
        assert_eq!((report.succeeded, report.failed), (3, 2));
        for shown in ["Sender Inc", "Policy sts of a.example", "2 times certificate-expired", "receiving-mx-helo: mx"] {
            assert!(report.summary.contains(shown), "{}", report.summary);
        }
    }

    #[test]
    fn only_open_deliveries_are_tried() {
        let uris = [
            ("mailto:open@A.example", DeliveryState::Waiting),
            ("mailto:open@a.example", DeliveryState::Delivered),
            ("https://a.example/sent", DeliveryState::Delivered),
            ("https://a.example:8443/", DeliveryState::Waiting),
            ("mailto:given-up@a.example", DeliveryState::Failed),
        ];
        let report = taken_over(&foreign("a.example", JSON, &uris), &settings()).unwrap();
        let made: Vec<_> = report
            .deliveries
            .iter()
            .map(|NewDelivery { destination, mail_domain, state, .. }| {
                (destination.as_str(), mail_domain.as_deref(), *state)
            })
            .collect();
        assert_eq!(
            made,
            [
                ("mailto:open@a.example", Some("a.example"), DeliveryState::Waiting),
                ("https://a.example/sent", None, DeliveryState::Delivered),
                ("https://a.example:8443/", None, DeliveryState::Failed),
                ("mailto:given-up@a.example", Some("a.example"), DeliveryState::Failed),
            ]
        );
        assert_eq!(report.deliveries[0].answer, "what became of it");
        assert!(report.deliveries[2].answer.contains("8443"), "{}", report.deliveries[2].answer);
    }

    #[test]
    fn what_a_mail_cannot_hold_is_refused_or_replaced() {
        let why = |domain, json| taken_over(&foreign(domain, json, &[]), &settings()).unwrap_err().to_string();
        assert_eq!(why("a\r\nb.example", JSON), "the name is not a host name");
        assert_eq!(why("a.example", "{}"), "it has no report-id");
        assert!(why("a.example", "{").starts_with("it is not JSON"));
        let hostile = r#"{"report-id": "a>\r\nBcc: x@b.example"}"#;
        let report = taken_over(&foreign("a.example", hostile, &[]), &settings()).unwrap();
        assert_eq!(report.report_id, "a---Bcc:-x@b.example");
    }
}
