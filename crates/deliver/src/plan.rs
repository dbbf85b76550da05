//! Which reports are made, and where each goes: decided from the counts of a domain and a day, without clock, store or network.

use std::collections::HashSet;

use jiff::{Timestamp, civil::Date};
use tlsrpt_format::{TEST_DOMAIN, record};
use tlsrpt_store::{DeliveryState, FailureLimit, MxHostShare, NewDelivery, NewReport, PolicyCounts, Unreported};

use crate::{
    Content, ContentSettings, Destination, Refused, Subject,
    content::{MOST_TEXT, content},
    destination::is_host_name,
    mx_share::shares,
    outcome::answer,
};

/// What decides whether a domain gets a report, and where it goes.
#[derive(Debug, Clone)]
pub struct PlanSettings {
    /// What the reports say.
    pub content: ContentSettings,
    /// The most destinations of a report.
    pub max_destinations: usize,
    /// The ports that reports are posted to.
    pub ports: Vec<u16>,
    /// A day without a failed session makes no report.
    pub failures_only: bool,
    /// Domains that get none, in lower case.
    pub exclude: HashSet<String>,
    /// MX hosts get reports about their DANE policies.
    pub report_mx_hosts: bool,
}

impl PlanSettings {
    /// How many failures of a domain the store is to give one by one.
    #[must_use]
    pub fn failures(&self) -> FailureLimit {
        FailureLimit { number: self.content.max_failure_details, bytes: MOST_TEXT }
    }
}

/// Why a domain gets no report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoReport {
    /// RFC 8460 defines none of the policy types of its sessions.
    #[error("no session has a policy of a type that RFC 8460 defines")]
    Nothing,
    /// The name is not a host name, so it cannot have a TLSRPT record.
    #[error("the name is not a host name")]
    NotADomain,
    /// The configuration leaves the domain out.
    #[error("exclude in [report] lists it")]
    Excluded,
    /// `tlsrpt check --send` made the events.
    #[error("the events are tests of tlsrpt check --send")]
    Tests,
    /// All sessions succeeded, and `failures-only` is set.
    #[error("all sessions succeeded, and failures-only in [report] is set")]
    OnlySuccesses,
    /// The sessions may be those of report mails of this host. A report about them would cause the next ones.
    #[error("all sessions succeeded, and were no more than the report mails that were sent there")]
    OwnReportMails,
}

/// The report of a domain and a day, or why there is none. Its deliveries are due at `due`.
///
/// # Errors
///
/// [`NoReport`] where the domain gets none.
pub fn plan(
    unreported: &Unreported,
    day: Date,
    made: Timestamp,
    due: Timestamp,
    settings: &PlanSettings,
) -> Result<NewReport, NoReport> {
    let domain = unreported.domain.as_str();
    if !is_host_name(domain) {
        return Err(NoReport::NotADomain);
    }
    if settings.exclude.contains(domain) {
        return Err(NoReport::Excluded);
    }
    if domain == TEST_DOMAIN {
        return Err(NoReport::Tests);
    }
    let subject = Subject { domain, day, number: unreported.number };
    let content = content(subject, &unreported.policies, &settings.content).ok_or(NoReport::Nothing)?;
    if content.failed == 0 && settings.failures_only {
        return Err(NoReport::OnlySuccesses);
    }
    if content.failed == 0 && content.succeeded <= unreported.report_mails {
        return Err(NoReport::OwnReportMails);
    }
    let records = unreported.policies.iter().map(|policy| policy.record.as_str());
    let deliveries = deliveries(records, due, settings);
    let mx_hosts = if settings.report_mx_hosts { shares(unreported, &deliveries) } else { Vec::new() };
    Ok(report(content, made, deliveries, mx_hosts))
}

pub(crate) fn report(
    content: Content,
    made: Timestamp,
    deliveries: Vec<NewDelivery>,
    mx_hosts: Vec<MxHostShare>,
) -> NewReport {
    NewReport {
        report_id: content.id,
        made,
        file_name: content.file_name,
        compressed: content.compressed,
        summary: content.summary,
        succeeded: content.succeeded,
        failed: content.failed,
        deliveries,
        mx_hosts,
    }
}

/// The number of sessions that no report can have: those of a name that is not a host name, and those under a policy type that RFC 8460
/// does not define. Domains that the configuration excludes and tests do not count.
pub(crate) fn sessions_in_no_report(unreported: &Unreported, settings: &PlanSettings) -> u64 {
    if settings.exclude.contains(&unreported.domain) || unreported.domain == TEST_DOMAIN {
        return 0;
    }
    let is_host_name = is_host_name(&unreported.domain);
    let has_no_type =
        |policy: &PolicyCounts| policy.policy.as_ref().is_some_and(|policy| policy.policy_type().is_err());
    let policies = unreported.policies.iter().filter(|policy| !is_host_name || has_no_type(policy));
    policies.map(|policy| policy.succeeded + policy.failed).sum()
}

/// Where a report goes: to the destinations of all records that the domain had on the day, each once.
pub(crate) fn deliveries<'r>(
    of: impl Iterator<Item = &'r str>,
    due: Timestamp,
    settings: &PlanSettings,
) -> Vec<NewDelivery> {
    let mut deliveries: Vec<NewDelivery> = Vec::new();
    let mut seen = HashSet::new();
    let mut records = HashSet::new();
    for record in of.filter(|record| !record.is_empty()) {
        if !records.insert(record) {
            continue;
        }
        match record::parse(record) {
            Err(mistake) => {
                deliveries.push(never(record, &format!("the TLSRPT record is not valid: {}", mistake.what)));
            }
            Ok(record) => {
                for uri in record.destinations {
                    let delivery = delivery(uri, due, &settings.ports);
                    if seen.insert(delivery.destination.clone()) {
                        deliveries.push(delivery);
                    }
                }
            }
        }
    }
    for beyond in deliveries.iter_mut().skip(settings.max_destinations) {
        let text =
            format!("over the limit of {} destinations: max-destinations in [report]", settings.max_destinations);
        *beyond = never(&beyond.destination, &text);
    }
    // A record may name thousands. Those beyond twice the limit are not even stored.
    deliveries.truncate(2 * settings.max_destinations);
    deliveries
}

pub(crate) fn delivery(uri: &str, due: Timestamp, ports: &[u16]) -> NewDelivery {
    match Destination::parse(uri).and_then(|destination| destination.on_ports(ports)) {
        Ok(destination) => NewDelivery {
            mail_domain: match &destination {
                Destination::Mail(address) => Some(address.domain().to_owned()),
                Destination::Https(_) => None,
            },
            destination: destination.to_string(),
            token: fastrand::u32(..),
            state: DeliveryState::Waiting,
            due,
            answer: String::new(),
        },
        Err(refused) => never_for(uri, &refused),
    }
}

fn never_for(uri: &str, refused: &Refused) -> NewDelivery {
    never(uri, &format!("not a destination: {refused}"))
}

/// A destination that is never tried, with the reason.
fn never(destination: &str, reason: &str) -> NewDelivery {
    NewDelivery {
        destination: answer(destination),
        mail_domain: None,
        token: 0,
        state: DeliveryState::Failed,
        due: Timestamp::UNIX_EPOCH,
        answer: answer(reason),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::HashSet;

    use jiff::Timestamp;
    use tlsrpt_format::datagram::PolicyDescription;
    use tlsrpt_store::{DeliveryState, PolicyCounts, Unreported};

    use super::{NoReport, PlanSettings, plan};
    use crate::{ContentSettings, Privacy};

    pub(crate) fn settings() -> PlanSettings {
        PlanSettings {
            content: ContentSettings {
                organization: "Sender".into(),
                contact: "c@sender.example".into(),
                submitter: "sender.example".into(),
                host: "h".into(),
                max_size: 1 << 20,
                max_failure_details: 100,
                privacy: Privacy::default(),
            },
            max_destinations: 3,
            ports: vec![443],
            failures_only: false,
            exclude: HashSet::from(["own.example".to_owned()]),
            report_mx_hosts: true,
        }
    }

    fn unreported(domain: &str, records: &[&str], succeeded: u64, failed: u64) -> Unreported {
        let policies = records.iter().map(|record| PolicyCounts {
            record: (*record).into(),
            policy: Some(PolicyDescription::from_json("{\"policy-type\":9}").unwrap()),
            succeeded,
            failed,
            failures: vec![],
        });
        Unreported { domain: domain.into(), number: 1, policies: policies.collect(), report_mails: 2 }
    }

    fn planned(
        unreported: &Unreported,
        settings: &PlanSettings,
    ) -> Result<Vec<(String, DeliveryState, String)>, NoReport> {
        let day = "2026-11-23".parse().unwrap();
        let report = plan(unreported, day, Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH, settings)?;
        Ok(report.deliveries.into_iter().map(|to| (to.destination, to.state, to.answer)).collect())
    }

    fn destinations(records: &[&str]) -> Vec<(String, DeliveryState, String)> {
        planned(&unreported("a.example", records, 0, 1), &settings()).unwrap()
    }

    #[test]
    fn tests_of_the_way_to_the_store_make_no_report() {
        let tests = unreported(tlsrpt_format::TEST_DOMAIN, &[tlsrpt_format::TEST_RECORD], 5, 1);
        assert_eq!(planned(&tests, &settings()), Err(NoReport::Tests));
    }

    #[test]
    fn the_destinations_of_all_records_are_served_once_each() {
        let made = destinations(&[
            "v=TLSRPTv1;rua=mailto:a@a.example,https://a.example/v1",
            "v=TLSRPTv1; rua=mailto:a@A.example , mailto:b%2Bx@a.example",
        ]);
        let expected = ["mailto:a@a.example", "https://a.example/v1", "mailto:b+x@a.example"];
        assert_eq!(made.iter().map(|(to, ..)| to.as_str()).collect::<Vec<_>>(), expected);
        assert!(made.iter().all(|(_, state, _)| *state == DeliveryState::Waiting));
    }

    #[test]
    fn what_cannot_be_served_is_kept_with_the_reason() {
        let made =
            destinations(&["v=TLSRPTv1;rua=ftp://a.example/", "v=TLSRPTv1;rua=https://a.example:8443/", "v=TLSRPTv9"]);
        let reasons: Vec<_> = made.iter().map(|(_, state, reason)| (*state, reason.as_str())).collect();
        assert_eq!(made.len(), 3);
        assert!(made.iter().all(|(_, state, _)| *state == DeliveryState::Failed), "{reasons:?}");
        assert!(reasons[0].1.contains("ftp"), "{reasons:?}");
        assert!(reasons[1].1.contains("8443"), "{reasons:?}");
        assert!(reasons[2].1.contains("record is not valid"), "{reasons:?}");
    }

    #[test]
    fn thousands_of_destinations_are_bounded() {
        let uris: Vec<_> = (0..1000).map(|n| format!("mailto:a{n}@a.example")).collect();
        let made = destinations(&[&format!("v=TLSRPTv1;rua={}", uris.join(","))]);
        assert_eq!(made.len(), 6);
        assert_eq!(made.iter().filter(|(_, state, _)| *state == DeliveryState::Waiting).count(), 3);
        assert!(made[3].2.contains("max-destinations"));
    }

    #[test]
    fn some_domains_get_no_report() {
        let record = &["v=TLSRPTv1;rua=mailto:a@a.example"];
        let none = |domain, succeeded, failed, settings: &PlanSettings| {
            planned(&unreported(domain, record, succeeded, failed), settings).err()
        };
        assert_eq!(none("a.example", 0, 0, &settings()), Some(NoReport::Nothing));
        assert_eq!(none("own.example", 5, 5, &settings()), Some(NoReport::Excluded));
        for name in ["(domains over the limit)", "a\r\nb.example", "localhost", "", "ä.example", "-a.example"] {
            assert_eq!(none(name, 5, 5, &settings()), Some(NoReport::NotADomain), "{name}");
        }
        let failures_only = PlanSettings { failures_only: true, ..settings() };
        assert_eq!(none("a.example", 5, 0, &failures_only), Some(NoReport::OnlySuccesses));
        assert_eq!(none("a.example", 5, 1, &failures_only), None);
    }

    #[test]
    fn our_own_report_mails_make_no_report() {
        let record = &["v=TLSRPTv1;rua=mailto:a@a.example"];
        let none = |succeeded, failed| planned(&unreported("a.example", record, succeeded, failed), &settings()).err();
        assert_eq!(none(2, 0), Some(NoReport::OwnReportMails));
        assert_eq!(none(3, 0), None);
        assert_eq!(none(1, 1), None);
    }
}
