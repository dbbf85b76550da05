//! The reporter: a loop over states that are in the store.
//!
//! Reports are made in transactions that also mark their counts as reported. An attempt is marked as begun before anything is
//! sent, and its outcome is kept before the delivery is forgotten. A reporter that is killed at any point goes on at its next start:
//! no report is lost, and one is sent twice only where the outcome of the attempt was unknown, with the same ids.

use std::{
    collections::{HashSet, VecDeque},
    fmt,
    sync::{Arc, mpsc::RecvTimeoutError},
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp, civil::Date};
use tlsrpt_format::printable;
use tlsrpt_store::{Attempt, Delivery, DeliveryState, Error, Leases, RENEWAL, ReportStore, Route};

use crate::{
    Carrier, Outcome, PlanSettings,
    mx_hosts::report_mx_host,
    mx_lookups::{LookUp, Lookups},
    plan,
    plan::sessions_in_no_report,
    schedule::{PATIENCE, complete_before, first_attempt, later, next_attempt, ready},
    transport::{Done, Job, Threads},
};

/// Reports that are made in one transaction. The collector waits for it.
const REPORTS_AT_ONCE: usize = 200;
/// Attempts at a time by each route.
const MAIL_THREADS: usize = 4;
/// More than for mail: any HTTPS server may be slow.
const HTTPS_THREADS: usize = 16;
/// Deliveries that are begun before a thread is free, for each thread.
const AHEAD: usize = 4;
/// The most bytes of reports in memory for each route. A larger report is sent alone.
const MOST_BYTES: u64 = 1 << 20;
/// How long after a lookup without an answer the record of an MX host is looked up again.
const LOOKUP_RETRY: SignedDuration = SignedDuration::from_mins(15);
/// How long a round waits for a lookup.
const SHORT_LOOK: Duration = Duration::from_millis(100);
/// How long a round waits for an outcome.
const LOOK: Duration = Duration::from_secs(1);

/// How the reporter works.
#[derive(Debug)]
pub struct ReporterSettings {
    /// Which reports are made, and where each goes.
    pub plan: PlanSettings,
    /// The time over which the reports of a day are spread.
    pub spread: Duration,
    /// Only the reports about this day are made and delivered, also while it lasts. None: those of all days that have ended.
    pub day: Option<Date>,
    /// The most reports that one destination gets in an hour.
    pub max_per_destination: u64,
    /// How long the reports of a day wait for hosts that share the store and have not handed in all of it.
    pub grace: Duration,
}

impl ReporterSettings {
    /// When a report that is made now is due first.
    fn due(&self, day: Date, now: Timestamp) -> Timestamp {
        match self.spread {
            Duration::ZERO => now,
            spread => first_attempt(day, now, spread, fastrand::f64()),
        }
    }
}

/// Makes and delivers reports.
#[derive(Debug)]
pub struct Reporter {
    store: Box<dyn ReportStore>,
    settings: ReporterSettings,
    threads: Threads,
    observer: Observer,
    /// The day whose reports are in the making, and the last domain that has its report.
    making: Option<(Date, String)>,
    /// Sessions of that day that can be in no report.
    in_no_report: u64,
    mail: Lane,
    https: Lane,
    /// Outcomes that are not yet in the store.
    outcomes: Vec<Attempt>,
    /// When the leases on attempts were renewed.
    renewed: Option<Instant>,
    reports_to_mx_hosts: bool,
    /// `None`: MX hosts get no reports, or the reporter is ending.
    lookups: Option<Lookups>,
    /// Messages for the log.
    notes: Vec<String>,
}

/// The deliveries of a route that are begun in the store.
#[derive(Debug, Default)]
struct Lane {
    /// Not yet given to a thread: their reports are not in memory.
    begun: VecDeque<Delivery>,
    /// With the threads.
    in_flight: HashSet<i64>,
    /// The bytes of their reports.
    bytes: u64,
}

impl Lane {
    fn is_idle(&self) -> bool {
        self.begun.is_empty() && self.in_flight.is_empty()
    }

    /// How many more deliveries to begin, to keep this number of threads busy.
    fn room(&self, threads: usize) -> usize {
        (threads * AHEAD).saturating_sub(self.begun.len() + self.in_flight.len())
    }

    /// Whether a report of so many bytes can be read into memory.
    fn takes(&self, bytes: u64) -> bool {
        self.in_flight.is_empty() || self.bytes.saturating_add(bytes) <= MOST_BYTES
    }
}

/// Receives the outcome of each delivery.
pub struct Observer(Box<dyn FnMut(&Happened<'_>) + Send>);

impl Observer {
    /// Calls this for each attempt, and for each delivery that ends without one.
    pub fn new(observe: impl FnMut(&Happened<'_>) + Send + 'static) -> Self {
        Self(Box::new(observe))
    }

    /// Ignores all outcomes.
    #[must_use]
    pub fn silent() -> Self {
        Self::new(|_| {})
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Observer")
    }
}

/// The outcome of a delivery. Its `Display` form is one line, with untrusted text escaped.
#[derive(Debug, Clone, Copy)]
pub struct Happened<'a> {
    /// The domain of the report.
    pub domain: &'a str,
    /// The delivery as it was before.
    pub delivery: &'a Delivery,
    /// The outcome.
    pub attempt: &'a Attempt,
}

impl fmt::Display for Happened<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { domain, delivery: Delivery { report, destination, .. }, attempt } = self;
        let (domain, destination) = (printable(domain), printable(destination));
        write!(out, "report {report} about {domain} to {destination}: {}", attempt.state.name())?;
        if !attempt.answer.is_empty() {
            write!(out, ": {}", printable(&attempt.answer))?;
        }
        if let Some(warning) = &attempt.warning {
            write!(out, "; warning: {}", printable(warning))?;
        }
        match attempt.next_attempt {
            Some(next) => write!(out, "; next attempt {next:.0}"),
            None => Ok(()),
        }
    }
}

/// Reports that were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Made {
    /// About this day.
    pub day: Date,
    /// How many.
    pub reports: u64,
    /// There are no more about the day.
    pub is_all: bool,
    /// Sessions of the day that can be in no report, with the last reports about it.
    pub in_no_report: u64,
}

/// What one round did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Round {
    /// Reports of MX hosts that were made.
    pub made: u64,
    /// Deliveries that ended well.
    pub delivered: u64,
    /// Deliveries that ended otherwise: refused, given up, suppressed.
    pub ended: u64,
    /// Deliveries that are tried again later.
    pub deferred: u64,
}

impl Round {
    pub(crate) fn add(&mut self, other: Self) {
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
        observer: Observer,
    ) -> Result<(Self, u64), Error> {
        let interrupted = store.become_reporter(Timestamp::now())?;
        let threads = Threads::start(carrier, MAIL_THREADS, HTTPS_THREADS);
        let reporter = Self {
            store,
            settings,
            threads,
            observer,
            making: None,
            in_no_report: 0,
            mail: Lane::default(),
            https: Lane::default(),
            outcomes: Vec::new(),
            renewed: None,
            reports_to_mx_hosts: false,
            lookups: None,
            notes: Vec::new(),
        };
        Ok((reporter, interrupted))
    }

    /// Reports to MX hosts too, whose TLSRPT records `look_up` finds. It is called in several threads and may block.
    #[must_use]
    pub fn with_mx_hosts(mut self, look_up: Arc<LookUp>) -> Self {
        self.reports_to_mx_hosts = true;
        self.lookups = Some(Lookups::start(look_up));
        self
    }

    /// Makes some of the reports that can be made: those of the day of the settings, or of the days that have ended, the oldest first.
    /// None where there is nothing to make.
    ///
    /// # Errors
    ///
    /// What is wrong with the store. What was made until then is kept.
    pub fn make_some(&mut self) -> Result<Option<Made>, Error> {
        let (day, after) = match self.making.take() {
            Some(making) => making,
            None => match self.next_day()? {
                Some(day) => (day, String::new()),
                None => return Ok(None),
            },
        };
        let (settings, now) = (&self.settings, Timestamp::now());
        let (mut reports, mut in_no_report) = (0, self.in_no_report);
        let failures = settings.plan.failures();
        let last = self.store.make_reports(day, &after, REPORTS_AT_ONCE, failures, &mut |unreported| {
            let due = settings.due(day, now);
            let report = plan(unreported, day, now, due, &settings.plan).ok();
            reports += u64::from(report.is_some());
            in_no_report += sessions_in_no_report(unreported, &settings.plan);
            report
        })?;
        let is_all = last.is_none();
        if let (true, Some(lookups)) = (reports > 0, &mut self.lookups) {
            lookups.are_due();
        }
        self.in_no_report = if is_all { 0 } else { in_no_report };
        self.making = last.map(|last| (day, last));
        Ok(Some(Made { day, reports, is_all, in_no_report: if is_all { in_no_report } else { 0 } }))
    }

    /// Makes all reports that [`Self::make_some`] would. How many.
    ///
    /// # Errors
    ///
    /// As [`Self::make_some`].
    pub fn make_all(&mut self) -> Result<u64, Error> {
        let mut all = 0;
        while let Some(Made { reports, is_all, .. }) = self.make_some()? {
            all += reports;
            if is_all && self.settings.day.is_some() {
                break;
            }
        }
        Ok(all)
    }

    fn next_day(&mut self) -> Result<Option<Date>, Error> {
        if self.settings.day.is_some() {
            return Ok(self.settings.day);
        }
        let hosts = self.store.hosts()?;
        let end = complete_before(Timestamp::now(), self.settings.grace, &hosts);
        Ok(self.store.unreported_days(end)?.into_iter().next())
    }

    /// Begins what is due, waits for outcomes for at most a second, and keeps them.
    ///
    /// # Errors
    ///
    /// What is wrong with the store. Outcomes that are not kept are unknown after a restart.
    pub fn round(&mut self) -> Result<Round, Error> {
        self.renew_leases()?;
        let mut round = Round { made: self.report_mx_hosts()?, ..Round::default() };
        for (route, threads) in [(Route::Mail, MAIL_THREADS), (Route::Https, HTTPS_THREADS)] {
            let room = self.lane(route).room(threads);
            round.add(self.begin(route, room)?);
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
            if self.is_done()? {
                return Ok(all);
            }
        }
    }

    /// Whether nothing is due now and nothing is under way.
    ///
    /// # Errors
    ///
    /// What is wrong with the store.
    pub fn is_done(&mut self) -> Result<bool, Error> {
        if !self.is_idle() {
            return Ok(false);
        }
        let (now, day) = (Timestamp::now(), self.settings.day);
        let look_up = self.lookups.as_ref().is_some_and(Lookups::have_room);
        if look_up && self.store.has_mx_hosts(now, day)? {
            return Ok(false);
        }
        Ok(!self.store.has_due(now, day)?)
    }

    /// The messages for the log since the last call, a line each, with untrusted text escaped.
    pub(crate) fn notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    /// Whether the settings name the day.
    pub(crate) fn has_one_day(&self) -> bool {
        self.settings.day.is_some()
    }

    /// Whether no attempt is under way.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        let looks_up = self.lookups.as_ref().is_some_and(Lookups::are_under_way);
        self.mail.is_idle() && self.https.is_idle() && self.outcomes.is_empty() && !looks_up
    }

    /// How many deliveries wait, and MX hosts for a report.
    ///
    /// # Errors
    ///
    /// What is wrong with the store.
    pub fn waiting(&mut self) -> Result<u64, Error> {
        let deliveries = self.store.waiting(self.settings.day)?;
        let hosts = if self.reports_to_mx_hosts { self.store.waiting_mx_hosts(self.settings.day)? } else { 0 };
        Ok(deliveries + hosts)
    }

    /// Begins no more attempts, waits at most `at_most` for those under way, and stores their outcomes. Returns the number of attempts
    /// still under way: their outcome is unknown to the next reporter.
    ///
    /// # Errors
    ///
    /// As [`Self::round`].
    pub fn finish(&mut self, at_most: Duration) -> Result<usize, Error> {
        let end = Instant::now() + at_most;
        self.threads.begin_nothing_more();
        let now = Timestamp::now();
        for lane in [&mut self.mail, &mut self.https] {
            self.outcomes.extend(lane.begun.drain(..).map(|delivery| not_begun(&delivery, now)));
        }
        // Hosts whose record is being looked up still wait in the store.
        self.lookups = None;
        while !self.is_idle() && Instant::now() < end {
            self.keep_outcomes()?;
        }
        Ok(self.in_flight())
    }

    /// Keeps what is begun for this reporter. What another may have begun meanwhile is not begun here.
    fn renew_leases(&mut self) -> Result<(), Error> {
        if self.renewed.is_some_and(|renewed| renewed.elapsed() < RENEWAL) {
            return Ok(());
        }
        let lanes = [&self.mail, &self.https];
        let begun = lanes.iter().flat_map(|lane| lane.begun.iter().map(|delivery| delivery.id));
        let in_flight = lanes.iter().flat_map(|lane| lane.in_flight.iter().copied());
        let ended = self.outcomes.iter().map(|attempt| attempt.delivery);
        let attempts: Vec<_> = begun.chain(in_flight).chain(ended).collect();
        let Leases { lost, taken_over } = self.store.renew_leases(&attempts)?;
        self.renewed = Some(Instant::now());
        for lane in [&mut self.mail, &mut self.https] {
            lane.begun.retain(|delivery| !lost.contains(&delivery.id));
        }
        if taken_over > 0 {
            let text = "deliveries of a reporter that is gone were interrupted; they are tried again with the same ids";
            self.notes.push(format!("{taken_over} {text}"));
        }
        Ok(())
    }

    fn lane(&mut self, route: Route) -> &mut Lane {
        match route {
            Route::Mail => &mut self.mail,
            Route::Https => &mut self.https,
        }
    }

    /// Attempts that are under way.
    fn in_flight(&self) -> usize {
        self.mail.in_flight.len() + self.https.in_flight.len()
    }

    /// Makes reports of MX hosts whose record is known now, and looks further records up. How many reports.
    fn report_mx_hosts(&mut self) -> Result<u64, Error> {
        // With attempts under way, the round waits for those instead.
        let mut wait = if self.in_flight() == 0 { SHORT_LOOK } else { Duration::ZERO };
        let Some(lookups) = &mut self.lookups else { return Ok(0) };
        let (settings, now) = (&self.settings, Timestamp::now());
        let mut made = 0;
        while let Some((day, host, found)) = lookups.next(std::mem::take(&mut wait)) {
            let record = match found {
                Ok(record) => record,
                Err(_) if now < later(ready(day), PATIENCE) => {
                    self.store.put_off_mx_host(day, &host, later(now, LOOKUP_RETRY))?;
                    continue;
                }
                Err(error) => {
                    let host = printable(&host);
                    self.notes.push(format!(
                        "{host} gets no report about {day}: the lookup of its TLSRPT record failed: {}",
                        printable(&error)
                    ));
                    None
                }
            };
            made += self.store.make_mx_host_reports(day, &host, &mut |number, shares| {
                let due = settings.due(day, now);
                let record = record.as_deref().unwrap_or_default();
                report_mx_host((&host, day, number), shares, record, (now, due), &settings.plan)
            })?;
        }
        if let Some(room) = lookups.room() {
            let hosts = self.store.mx_hosts(now, settings.day, room)?;
            lookups.begin(hosts);
        }
        Ok(made)
    }

    fn begin(&mut self, route: Route, room: usize) -> Result<Round, Error> {
        let mut round = Round::default();
        let now = Timestamp::now();
        if room > 0 {
            let begun = self.store.begin_attempts(route, now, self.settings.day, room)?;
            self.lane(route).begun.extend(begun);
        }
        // A store that fails leaves them here, for the next round.
        while let Some(delivery) = self.lane(route).begun.front().cloned() {
            if !self.lane(route).takes(delivery.report_size) {
                break;
            }
            if let Some(report) = self.store.report(delivery.report)? {
                if let Some(reason) = self.suppressed(&delivery, &report.domain, now)? {
                    let attempt = not_tried(&delivery, now, DeliveryState::Suppressed, None, reason);
                    self.observer.0(&Happened { domain: &report.domain, delivery: &delivery, attempt: &attempt });
                    self.outcomes.push(attempt);
                    round.ended += 1;
                } else if let Some(later) = self.over_limit(&delivery, now)? {
                    let reason = "the destination has already got max-per-destination reports in this hour".into();
                    self.outcomes.push(not_tried(&delivery, now, DeliveryState::Waiting, Some(later), reason));
                    round.deferred += 1;
                } else {
                    let lane = self.lane(route);
                    lane.in_flight.insert(delivery.id);
                    lane.bytes += delivery.report_size;
                    self.threads.give(Job { route, delivery, report });
                }
            }
            self.lane(route).begun.pop_front();
        }
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
        let (hour, next) = hour(now);
        let is_over = self.store.count_attempt(&delivery.destination, hour)? >= most;
        Ok(is_over.then_some(next))
    }

    fn keep_outcomes(&mut self) -> Result<Round, Error> {
        let mut round = Round::default();
        if self.in_flight() > 0 {
            // Outcomes that are already known are stored without a wait.
            let wait = if self.outcomes.is_empty() { LOOK } else { Duration::ZERO };
            match self.threads.done.recv_timeout(wait) {
                Ok(first) => {
                    let rest: Vec<_> = self.threads.done.try_iter().collect();
                    std::iter::once(first).chain(rest).for_each(|done| self.take(done, &mut round));
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
        }
        if !self.outcomes.is_empty() {
            self.store.end_attempts(&self.outcomes)?;
            self.outcomes.clear();
        }
        Ok(round)
    }

    fn take(&mut self, Done { route, delivery, domain, outcome }: Done, round: &mut Round) {
        let lane = self.lane(route);
        lane.in_flight.remove(&delivery.id);
        lane.bytes = lane.bytes.saturating_sub(delivery.report_size);
        let now = Timestamp::now();
        let Some(outcome) = outcome else {
            self.outcomes.push(not_begun(&delivery, now));
            return;
        };
        let attempt = attempt(&delivery, outcome, now);
        match attempt.state {
            DeliveryState::Delivered => round.delivered += 1,
            DeliveryState::Waiting => round.deferred += 1,
            _ => round.ended += 1,
        }
        self.observer.0(&Happened { domain: &domain, delivery: &delivery, attempt: &attempt });
        self.outcomes.push(attempt);
    }
}

/// The state of a delivery after an attempt.
fn attempt(delivery: &Delivery, outcome: Outcome, now: Timestamp) -> Attempt {
    let (state, next_attempt, unknown, answer, warning) = match outcome {
        Outcome::Delivered { answer, warning } => (DeliveryState::Delivered, None, false, answer, warning),
        Outcome::Refused { answer } => (DeliveryState::Failed, None, false, answer, None),
        Outcome::Deferred { answer, wait, unknown } => {
            let first = delivery.first_attempt.unwrap_or(now);
            match next_attempt(first, now, delivery.attempts + 1, wait) {
                Some(next) => (DeliveryState::Waiting, Some(next), unknown, answer, None),
                // Only the wait that the server asks for ends more than a day after the first attempt.
                None if next_attempt(first, now, delivery.attempts + 1, None).is_some() => {
                    let text = format!(
                        "given up: the server asks for a wait beyond 24 hours after the first attempt; last: {answer}"
                    );
                    (DeliveryState::Failed, None, unknown, text, None)
                }
                None => {
                    (DeliveryState::Failed, None, unknown, format!("given up after 24 hours; last: {answer}"), None)
                }
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

/// The delivery as it was before its attempt was begun.
fn not_begun(delivery: &Delivery, now: Timestamp) -> Attempt {
    let next = delivery.next_attempt.or(Some(now));
    let answer = delivery.answer.clone();
    Attempt { warning: delivery.warning.clone(), ..not_tried(delivery, now, DeliveryState::Waiting, next, answer) }
}

/// When the hour of a moment began, and when the next begins.
fn hour(at: Timestamp) -> (Timestamp, Timestamp) {
    const SECONDS: i64 = 60 * 60;
    let hour = at.as_second().div_euclid(SECONDS);
    let begin = |hour: i64| Timestamp::from_second(hour * SECONDS).unwrap_or(Timestamp::MAX);
    (begin(hour), begin(hour + 1))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::{SignedDuration, Timestamp};
    use tlsrpt_store::{Delivery, DeliveryState};

    use super::{Lane, MOST_BYTES, attempt, later};
    use crate::Outcome;

    #[test]
    fn a_delivery_is_given_up_after_24_hours_or_where_the_server_asks_for_a_longer_wait() {
        let first: Timestamp = "2026-11-24T01:00:00Z".parse().unwrap();
        let delivery = Delivery {
            id: 1,
            report: 1,
            destination: "https://a.example/".into(),
            token: 0,
            state: DeliveryState::Waiting,
            attempts: 1,
            first_attempt: Some(first),
            last_attempt: Some(first),
            next_attempt: None,
            unknown: false,
            answer: String::new(),
            warning: None,
            report_size: 0,
        };
        let after = |hours, wait: Option<u64>| {
            let wait = wait.map(|hours| Duration::from_secs(hours * 3600));
            let outcome = Outcome::Deferred { answer: "HTTP 503".into(), wait, unknown: false };
            let attempt = attempt(&delivery, outcome, later(first, SignedDuration::from_hours(hours)));
            (attempt.state, attempt.answer)
        };
        assert_eq!(after(10, None), (DeliveryState::Waiting, "HTTP 503".into()));
        assert_eq!(after(10, Some(14)), (DeliveryState::Waiting, "HTTP 503".into()));
        let asked = "given up: the server asks for a wait beyond 24 hours after the first attempt; last: HTTP 503";
        assert_eq!(after(10, Some(15)), (DeliveryState::Failed, asked.into()));
        assert_eq!(after(24, None), (DeliveryState::Failed, "given up after 24 hours; last: HTTP 503".into()));
    }

    #[test]
    fn reports_in_memory_are_bounded_by_bytes_and_one_of_any_size_goes_alone() {
        let lane = |in_flight, bytes| Lane { in_flight: (0..in_flight).collect(), bytes, ..Lane::default() };
        assert!(lane(0, 0).takes(u64::MAX));
        assert!(lane(1, 10).takes(MOST_BYTES - 10));
        assert!(!lane(1, 10).takes(MOST_BYTES - 9));
        assert!(!lane(1, MOST_BYTES * 3).takes(1));
    }
}
