//! MX hosts as policy domains. A DANE policy belongs to the MX host, so the host gets a report about it if it has a TLSRPT record.
//!
//! With the report of a domain, the store gets a share for each of its MX hosts. A thread looks up the TLSRPT record of the host. The
//! shares of all domains make one report of the host, which names the recipient domains. A destination that has the report of a domain
//! does not get the share of that domain too.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use jiff::{Timestamp, civil::Date};
use tlsrpt_format::datagram::PolicyDescription;
use tlsrpt_store::{DeliveryState, MxHostShare, NewDelivery, NewReport, PolicyCounts};

use crate::{
    PlanSettings, Subject, content,
    plan::{deliveries, report},
    summary::RECIPIENT_DOMAINS,
};

/// The most recipient domains that a policy names.
const MOST_NAMED: usize = 100;

/// The reports of a host, with numbers from `number` on: one for each group of destinations that get the same shares.
pub(crate) fn report_mx_host(
    (host, day, number): (&str, Date, u32),
    shares: &[MxHostShare],
    record: &str,
    (made, due): (Timestamp, Timestamp),
    settings: &PlanSettings,
) -> Vec<NewReport> {
    if settings.exclude.contains(host) {
        return Vec::new();
    }
    let mut groups: IndexMap<Vec<usize>, Vec<NewDelivery>> = IndexMap::new();
    for to in deliveries(std::iter::once(record), due, settings) {
        let gets = shares.iter().enumerate().filter(|(_, share)| !share.destinations.contains(&to.destination));
        groups.entry(gets.map(|(index, _)| index).collect()).or_default().push(to);
    }
    let groups = groups.into_iter().filter(|(_, to)| to.iter().any(|to| to.state == DeliveryState::Waiting));
    let mut reports: Vec<NewReport> = Vec::new();
    for (included, to) in groups {
        let number = number.saturating_add(u32::try_from(reports.len()).unwrap_or(u32::MAX));
        let policies = put_together(host, included.iter().filter_map(|index| shares.get(*index)));
        let content = content(Subject { domain: host, day, number }, &policies, &settings.content);
        if let Some(content) = content.filter(|content| content.failed > 0 || !settings.failures_only) {
            reports.push(report(content, made, to, Vec::new()));
        }
    }
    reports
}

/// The policies of the host, each with the recipient domains.
fn put_together<'s>(host: &str, shares: impl Iterator<Item = &'s MxHostShare>) -> Vec<PolicyCounts> {
    let mut of: IndexMap<PolicyDescription, (BTreeSet<&str>, PolicyCounts)> = IndexMap::new();
    for share in shares {
        for counts in &share.policies {
            let Some(policy) = &counts.policy else { continue };
            let (domains, sum) = of.entry(policy.clone()).or_insert_with(|| {
                let nothing = PolicyCounts { succeeded: 0, failed: 0, failures: Vec::new(), ..counts.clone() };
                (BTreeSet::new(), nothing)
            });
            domains.insert(&share.domain);
            sum.succeeded += counts.succeeded;
            sum.failed += counts.failed;
            sum.failures.extend(counts.failures.iter().cloned());
        }
    }
    let named = |(policy, (domains, sum)): (PolicyDescription, (BTreeSet<&str>, PolicyCounts))| {
        let mut policy = policy;
        policy.policy_domain = Some(host.into());
        policy.others.insert(RECIPIENT_DOMAINS.into(), domains.into_iter().take(MOST_NAMED).collect());
        PolicyCounts { policy: Some(policy), ..sum }
    };
    of.into_iter().map(named).collect()
}
