//! The reporter: a loop over states that are in the store.
//!
//! Reports are made in transactions that also mark their counts as reported. An attempt is marked as begun before anything is
//! sent, and its outcome is kept before the delivery is forgotten. A reporter that is killed at any point goes on at its next start:
//! no report is lost, and one is sent twice only where the outcome of the attempt was unknown, with the same ids.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::mpsc::RecvTimeoutError,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use tlsrpt_store::{Attempt, Delivery, DeliveryState, Error, ReportStore, Route};

use crate::{
    Carrier, Outcome, PlanSettings, plan,
    schedule::{first_attempt, next_attempt, ready},
    transport::{Job, Threads},
};

/// Reports that are made in one transaction. The collector waits for it.
const REPORTS_AT_ONCE: usize = 200;
/// Attempts at a time by each route.
const MAIL_THREADS: usize = 4;
/// HTTPS servers are strangers and may be slow.
const HTTPS_THREADS: usize = 16;
/// Deliveries that are begun ahead of the threads, for each thread.
const AHEAD: usize = 4;
/// How long to wait before looking at the clock and the store again.
const LOOK: Duration = Duration::from_secs(1);

/// How the reporter works.
#[derive(Debug)]
pub struct ReporterSettings {
    /// Which reports are made, and where each goes.
    pub plan: PlanSettings,
    /// The time over which the reports of a day are spread.
    pub spread: Duration,
    /// The most reports that one destination gets in an hour.
    pub max_per_destination: u64,
}

/// Makes and delivers reports.
#[derive(Debug)]
pub struct Reporter {
    store: Box<dyn ReportStore>,
    settings: ReporterSettings,
    threads: Threads,
    in_flight: [usize; 2],
    sent: PerDestination,
}

/// What one round did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Round {
    /// Reports that were made.
    pub made: u64,
    /// Deliveries that ended well.
    pub delivered: u64,
    /// Deliveries that ended otherwise: refused, given up, suppressed.
    pub ended: u64,
    /// Deliveries that are tried again later.
    pub deferred: u64,
}

impl Round {
    fn add(&mut self, other: Self) {
        self.made += other.made;
        self.delivered += other.delivered;
        self.ended += other.ended;
        self.deferred += other.deferred;
    }
}

impl Reporter {
    /// A reporter of this store. The number of deliveries that a crash interrupted.
    ///
    /// # Errors
    ///
    /// [`tlsrpt_store::ErrorKind::Locked`] where another reporter works on the store, or what is wrong with the store.
    pub fn new(
        mut store: Box<dyn ReportStore>,
        settings: ReporterSettings,
        carrier: Carrier,
    ) -> Result<(Self, u64), Error> {
        let interrupted = store.become_reporter(Timestamp::now())?;
        let threads = Threads::start(carrier, MAIL_THREADS, HTTPS_THREADS);
        Ok((Self { store, settings, threads, in_flight: [0; 2], sent: PerDestination::default() }, interrupted))
    }

    /// Makes the reports of all days that are ready, the oldest first. How many.
    ///
    /// # Errors
    ///
    /// What is wrong with the store. What was made until then is kept.
    pub fn make_due(&mut self, spread: Duration) -> Result<u64, Error> {
        let now = Timestamp::now();
        let today = now.to_zoned(TimeZone::UTC).date();
        let mut made = 0;
        for day in self.store.unreported_days(today)? {
            if ready(day) <= now {
                made += self.make(day, spread)?;
            }
        }
        Ok(made)
    }

    /// Makes the reports of a day from what is in no report yet. How many.
    ///
    /// # Errors
    ///
    /// As [`Self::make_due`].
    pub fn make(&mut self, day: Date, spread: Duration) -> Result<u64, Error> {
        let settings = &self.settings.plan;
        let (mut made, mut after) = (0, String::new());
        loop {
            let now = Timestamp::now();
            let last = self.store.make_reports(day, &after, REPORTS_AT_ONCE, &mut |unreported| {
                let due = if spread.is_zero() { now } else { first_attempt(day, now, spread, fastrand::f64()) };
                let report = plan(unreported, day, now, due, settings).ok();
                made += u64::from(report.is_some());
                report
            })?;
            match last {
                Some(last) => after = last,
                None => return Ok(made),
            }
        }
    }

    /// Begins what is due, waits for outcomes for at most a second, and keeps them.
    ///
    /// # Errors
    ///
    /// What is wrong with the store. Outcomes that are not kept are unknown after a restart.
    pub fn round(&mut self) -> Result<Round, Error> {
        let mut round = Round::default();
        for (index, (route, threads)) in
            [(Route::Mail, MAIL_THREADS), (Route::Https, HTTPS_THREADS)].into_iter().enumerate()
        {
            let room = (threads * AHEAD).saturating_sub(self.in_flight.get(index).copied().unwrap_or_default());
            round.add(self.begin(index, route, room)?);
        }
        round.add(self.keep_outcomes()?);
        Ok(round)
    }

    /// Works until nothing is due now and nothing is under way.
    ///
    /// # Errors
    ///
    /// As [`Self::round`].
    pub fn work_off(&mut self) -> Result<Round, Error> {
        let mut all = Round::default();
        loop {
            all.add(self.round()?);
            let (next, _) = self.store.waiting()?;
            if self.is_idle() && next.is_none_or(|next| next > Timestamp::now()) {
                return Ok(all);
            }
        }
    }

    /// Whether no attempt is under way.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.in_flight == [0; 2]
    }

    /// How many deliveries wait.
    ///
    /// # Errors
    ///
    /// What is wrong with the store.
    pub fn waiting(&mut self) -> Result<u64, Error> {
        self.store.waiting().map(|(_, waiting)| waiting)
    }

    /// Waits for the attempts that are under way, for at most so long, and keeps their outcomes.
    ///
    /// # Errors
    ///
    /// As [`Self::round`].
    pub fn finish(&mut self, at_most: Duration) -> Result<(), Error> {
        let end = std::time::Instant::now() + at_most;
        while !self.is_idle() && std::time::Instant::now() < end {
            self.keep_outcomes()?;
        }
        Ok(())
    }

    fn begin(&mut self, index: usize, route: Route, room: usize) -> Result<Round, Error> {
        let mut round = Round::default();
        if room == 0 {
            return Ok(round);
        }
        let now = Timestamp::now();
        let mut without = Vec::new();
        for delivery in self.store.begin_attempts(route, now, room)? {
            let Some(report) = self.store.report(delivery.report)? else { continue };
            if let Some(reason) = self.suppressed(&delivery, &report.domain, now)? {
                without.push(not_tried(&delivery, now, DeliveryState::Suppressed, None, reason));
                round.ended += 1;
            } else if let Some(later) = self.over_limit(&delivery, now)? {
                let reason = "the destination has max-per-destination reports of this hour".into();
                without.push(not_tried(&delivery, now, DeliveryState::Waiting, Some(later), reason));
                round.deferred += 1;
            } else {
                self.threads.give(route, Job { delivery, report });
                if let Some(count) = self.in_flight.get_mut(index) {
                    *count += 1;
                }
            }
        }
        self.store.end_attempts(&without)?;
        Ok(round)
    }

    /// Why the destination, its domain or the policy domain gets no reports now.
    fn suppressed(&mut self, delivery: &Delivery, domain: &str, now: Timestamp) -> Result<Option<String>, Error> {
        let mail_domain = delivery.destination.strip_prefix("mailto:").and_then(|address| address.rsplit('@').next());
        for target in [Some(delivery.destination.as_str()), mail_domain, Some(domain)].into_iter().flatten() {
            let entry = self.store.suppression(target)?;
            if let Some(entry) = entry.filter(|entry| entry.until.is_none_or(|until| until > now)) {
                return Ok(Some(entry.reason));
            }
        }
        Ok(None)
    }

    /// When the destination can get a report again, where it had its reports of this hour.
    fn over_limit(&mut self, delivery: &Delivery, now: Timestamp) -> Result<Option<Timestamp>, Error> {
        let most = self.settings.max_per_destination;
        if self.sent.count(&delivery.destination, now, self.store.as_mut())? < most {
            return Ok(None);
        }
        Ok(Some(Timestamp::from_second((hour(now) + 1) * SECONDS_OF_AN_HOUR).unwrap_or(Timestamp::MAX)))
    }

    fn keep_outcomes(&mut self) -> Result<Round, Error> {
        let mut round = Round::default();
        if self.is_idle() {
            return Ok(round);
        }
        let first = match self.threads.done.recv_timeout(LOOK) {
            Ok(first) => first,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return Ok(round),
        };
        let now = Timestamp::now();
        let mut attempts = Vec::new();
        for (delivery, outcome) in std::iter::once(first).chain(self.threads.done.try_iter()) {
            let index = usize::from(!delivery.destination.starts_with("mailto:"));
            if let Some(count) = self.in_flight.get_mut(index) {
                *count = count.saturating_sub(1);
            }
            let attempt = attempt(&delivery, outcome, now);
            match attempt.state {
                DeliveryState::Delivered => round.delivered += 1,
                DeliveryState::Waiting => round.deferred += 1,
                _ => round.ended += 1,
            }
            attempts.push(attempt);
        }
        self.store.end_attempts(&attempts)?;
        Ok(round)
    }
}

/// What becomes of a delivery after an attempt.
fn attempt(delivery: &Delivery, outcome: Outcome, now: Timestamp) -> Attempt {
    let (state, next_attempt, unknown, answer, warning) = match outcome {
        Outcome::Delivered { answer, warning } => (DeliveryState::Delivered, None, false, answer, warning),
        Outcome::Refused { answer } => (DeliveryState::Failed, None, false, answer, None),
        Outcome::Deferred { answer, wait, unknown } => {
            let first = delivery.first_attempt.unwrap_or(now);
            match next_attempt(first, now, delivery.attempts + 1, wait) {
                Some(next) => (DeliveryState::Waiting, Some(next), unknown, answer, None),
                None => (DeliveryState::Failed, None, unknown, format!("given up after a day; last: {answer}"), None),
            }
        }
    };
    Attempt { delivery: delivery.id, at: now, tried: true, state, next_attempt, unknown, answer, warning }
}

fn not_tried(
    delivery: &Delivery,
    at: Timestamp,
    state: DeliveryState,
    next_attempt: Option<Timestamp>,
    answer: String,
) -> Attempt {
    Attempt { delivery: delivery.id, at, tried: false, state, next_attempt, unknown: false, answer, warning: None }
}

const SECONDS_OF_AN_HOUR: i64 = 60 * 60;

fn hour(at: Timestamp) -> i64 {
    at.as_second().div_euclid(SECONDS_OF_AN_HOUR)
}

/// How many reports each destination got in the current hour. A few bytes a destination: there may be hundreds of thousands.
#[derive(Debug, Default)]
struct PerDestination {
    hour: i64,
    counts: HashMap<u64, u64>,
    state: RandomState,
}

impl PerDestination {
    /// How many it got before this one, which is counted.
    fn count(&mut self, destination: &str, now: Timestamp, store: &mut dyn ReportStore) -> Result<u64, Error> {
        if self.hour != hour(now) {
            self.hour = hour(now);
            self.counts = HashMap::new();
        }
        let key = self.state.hash_one(destination);
        let before = match self.counts.get(&key) {
            Some(count) => *count,
            // Those of an earlier process.
            None => {
                let begin = Timestamp::from_second(self.hour * SECONDS_OF_AN_HOUR).unwrap_or(Timestamp::UNIX_EPOCH);
                store.attempts_since(destination, begin.checked_sub(SignedDuration::from_secs(1)).unwrap_or(begin))?
            }
        };
        self.counts.insert(key, before + 1);
        Ok(before)
    }
}
