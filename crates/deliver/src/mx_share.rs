//! The shares of the MX hosts in the report of a domain.

use std::collections::BTreeMap;

use tlsrpt::PolicyType;
use tlsrpt_format::datagram::{PolicyDescription, normalized_domain};
use tlsrpt_store::{DeliveryState, MxHostShare, NewDelivery, PolicyCounts, Unreported};

use crate::destination::is_host_name;

/// The sessions of a domain under the policies of each of its MX hosts.
pub(crate) fn shares(unreported: &Unreported, deliveries: &[NewDelivery]) -> Vec<MxHostShare> {
    let served = deliveries.iter().filter(|to| to.state == DeliveryState::Waiting);
    let destinations: Vec<_> = served.map(|to| to.destination.clone()).collect();
    let mut of: BTreeMap<String, Vec<PolicyCounts>> = BTreeMap::new();
    for counts in &unreported.policies {
        let host = counts.policy.as_ref().and_then(host_of);
        if let Some(host) = host.filter(|host| *host != unreported.domain) {
            of.entry(host).or_default().push(PolicyCounts { record: String::new(), ..counts.clone() });
        }
    }
    let share = |(host, policies)| MxHostShare {
        host,
        domain: unreported.domain.clone(),
        destinations: destinations.clone(),
        policies,
    };
    of.into_iter().map(share).collect()
}

/// The MX host of a DANE policy: its policy domain is the base domain of the TLSA records.
fn host_of(policy: &PolicyDescription) -> Option<String> {
    let is_dane = policy.policy_type().ok() == PolicyType::Tlsa.rfc_name();
    let host = normalized_domain(policy.policy_domain.as_deref().filter(|_| is_dane)?);
    is_host_name(&host).then_some(host)
}
