//! Looks up the TLSRPT records of MX hosts, in threads.

use std::{
    collections::HashSet,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use jiff::civil::Date;

/// Lookups at a time.
const THREADS: usize = 8;
/// Hosts with the threads.
const MOST_UNDER_WAY: usize = 4 * THREADS;
/// The most lookups in [`PERIOD`]. The names of the hosts come from untrusted MX records.
const MOST_LOOKUPS: usize = 10_000;
const PERIOD: Duration = Duration::from_secs(60 * 60);
/// How long to wait before the store is asked for hosts again, after it had none.
const LOOK: Duration = Duration::from_secs(60);

/// Looks up the TLSRPT record of a host. `None`: there is no record. An error: DNS gave no answer. It must return within a limited
/// time.
pub type LookUp = dyn Fn(&str) -> Result<Option<String>, String> + Send + Sync;

/// The result of a lookup.
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
                    // A panic in a library fails this lookup, not the thread.
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

    /// Asks the store for hosts without a wait: it may have new ones.
    pub(crate) fn are_due(&mut self) {
        self.next = Instant::now();
    }

    pub(crate) fn are_under_way(&self) -> bool {
        !self.under_way.is_empty()
    }

    /// The next result. Waits at most `wait`, and not at all if no lookup is under way.
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

    /// How many hosts to ask the store for. `None`: not now.
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
