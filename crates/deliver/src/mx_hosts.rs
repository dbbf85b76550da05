//! MX hosts as policy domains: the DANE policy of an MX host is the host's, so the host hears of it too where it asks for reports.
//!
//! The report of a domain leaves a share for each of its MX hosts in the store. The TLSRPT record of the host is looked up in a
//! thread, and what the shares say goes into one report of the host, which names the recipient domains. A destination that has
//! the report of a domain already hears nothing of that domain a second time.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use indexmap::IndexMap;
use jiff::{Timestamp, civil::Date};
use tlsrpt::PolicyType;
use tlsrpt_format::datagram::{PolicyDescription, normalized_domain};
use tlsrpt_store::{DeliveryState, MxHostShare, NewDelivery, NewReport, PolicyCounts, Unreported};

use crate::{
    PlanSettings, Subject, content,
    destination::is_host_name,
    plan::{deliveries, report},
};

/// The member of a policy with the recipient domains whose sessions it counts. RFC 8460 has none; receivers ignore members that they do
/// not know.
pub(crate) const RECIPIENT_DOMAINS: &str = "recipient-domains";
/// The most recipient domains that a policy names.
const MOST_NAMED: usize = 100;
/// Lookups at a time.
const THREADS: usize = 8;
/// Hosts with the threads.
const MOST_UNDER_WAY: usize = 4 * THREADS;
/// The most lookups in [`PERIOD`]. Strangers choose the names of hosts.
const MOST_LOOKUPS: usize = 10_000;
const PERIOD: Duration = Duration::from_secs(60 * 60);
/// How often the store is asked for hosts where there were none.
const LOOK: Duration = Duration::from_secs(60);

/// Finds the TLSRPT record of a host. None: it has none. The error is that DNS gave no answer, which is to be bounded in time.
pub type LookUp = dyn Fn(&str) -> Result<Option<String>, String> + Send + Sync;

/// What the report of a domain says about each of its MX hosts.
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

/// The reports of a host, from its number on: one for the destinations that hear of the same domains.
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
        let hears_of = shares.iter().enumerate().filter(|(_, share)| !share.destinations.contains(&to.destination));
        groups.entry(hears_of.map(|(index, _)| index).collect()).or_default().push(to);
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

/// What a thread found, or why it found nothing.
type Found = (Date, String, Result<Option<String>, String>);

/// Looks records up in threads, which end when this is dropped.
pub(crate) struct Lookups {
    hosts: Sender<(Date, String)>,
    found: Receiver<Found>,
    under_way: HashSet<(Date, String)>,
    /// When the store is asked for hosts next.
    next: Instant,
    /// When the period began, and the lookups since.
    period: (Instant, usize),
}

impl fmt::Debug for Lookups {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Lookups").field("under_way", &self.under_way.len()).finish_non_exhaustive()
    }
}

impl Lookups {
    pub(crate) fn start(look_up: Arc<LookUp>) -> Self {
        let ((hosts, queue), (done, found)) = (channel::<(Date, String)>(), channel());
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..THREADS {
            let (queue, done, look_up) = (Arc::clone(&queue), done.clone(), Arc::clone(&look_up));
            thread::spawn(move || {
                loop {
                    let host = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok((day, host)) = host else { return };
                    // A library that panics costs this lookup, not the thread.
                    let record = catch_unwind(AssertUnwindSafe(|| look_up(&host)));
                    let record = record.unwrap_or_else(|_| Err("an internal error".into()));
                    if done.send((day, host, record)).is_err() {
                        return;
                    }
                }
            });
        }
        let now = Instant::now();
        Self { hosts, found, under_way: HashSet::new(), next: now, period: (now, 0) }
    }

    /// There may be hosts in the store.
    pub(crate) fn are_due(&mut self) {
        self.next = Instant::now();
    }

    pub(crate) fn are_under_way(&self) -> bool {
        !self.under_way.is_empty()
    }

    /// What was found. Waits for it for at most so long, where anything is looked up.
    pub(crate) fn next(&mut self, wait: Duration) -> Option<Found> {
        if self.under_way.is_empty() {
            return None;
        }
        let found = self.found.recv_timeout(wait).ok()?;
        self.under_way.remove(&(found.0, found.1.clone()));
        Some(found)
    }

    /// Whether more hosts may be looked up now.
    pub(crate) fn have_room(&self) -> bool {
        self.period.1 < MOST_LOOKUPS || self.period.0.elapsed() >= PERIOD
    }

    /// How many hosts to ask the store for. None: not now.
    pub(crate) fn room(&mut self) -> Option<usize> {
        let now = Instant::now();
        if now.duration_since(self.period.0) >= PERIOD {
            self.period = (now, 0);
        }
        let is_time = now >= self.next && self.under_way.is_empty() && self.period.1 < MOST_LOOKUPS;
        is_time.then_some(MOST_UNDER_WAY)
    }

    pub(crate) fn begin(&mut self, hosts: Vec<(Date, String)>) {
        if hosts.is_empty() {
            self.next = Instant::now() + LOOK;
        }
        for host in hosts {
            self.period.1 += 1;
            self.under_way.insert(host.clone());
            // The threads live as long as this.
            let _ = self.hosts.send(host);
        }
    }
}
