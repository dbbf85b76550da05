//! Looks at the counters of the day, and begins, tells and ends alerts.

use std::{
    io,
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    thread,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date, tz::TimeZone};
use tlsrpt_format::printable;
use tlsrpt_service::{Level, Log};
use tlsrpt_store::{Alert, Error, ReportStore, WatchedDomain, reasons};

use crate::{Messenger, Threshold, threshold::Judgement, words::line};

/// How often it looks.
const LOOK: Duration = Duration::from_secs(60);
/// The most domains of a look: those with most failures.
const DOMAINS: usize = 10_000;
/// A longer name is no domain.
const LONGEST_NAME: usize = 253;
/// How many earlier days are searched for sessions that succeeded.
const EARLIER_DAYS: i64 = 7;
/// The most reasons that are named.
const REASONS: usize = 3;
/// When an attempt to tell the operator is repeated.
const RETRY: SignedDuration = SignedDuration::from_mins(10);

/// Watches the domains of a store.
#[derive(Debug)]
pub struct Watch {
    store: Box<dyn ReportStore>,
    threshold: Threshold,
    messenger: Messenger,
    log: Log,
}

/// A watch in a thread of its own, until this is dropped.
#[derive(Debug)]
pub struct Watching {
    _until_dropped: Sender<()>,
}

impl Watch {
    /// A watch with its own connection to the store.
    #[must_use]
    pub fn new(store: Box<dyn ReportStore>, threshold: Threshold, messenger: Messenger, log: Log) -> Self {
        Self { store, threshold, messenger, log }
    }

    /// Looks every minute, in a thread of its own: telling the operator may take long. An error of the store is logged once, and
    /// the next look tries again.
    ///
    /// # Errors
    ///
    /// The system has no thread.
    pub fn start(mut self) -> io::Result<Watching> {
        let (until_dropped, end) = channel();
        thread::Builder::new().name("alerts".into()).spawn(move || {
            let mut in_trouble = false;
            loop {
                let looked = self.look(Timestamp::now());
                if let Some(error) = looked.as_ref().err().filter(|_| !in_trouble) {
                    self.has_failed(error);
                }
                in_trouble = looked.is_err();
                if end.recv_timeout(LOOK) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        })?;
        Ok(Watching { _until_dropped: until_dropped })
    }

    /// Looks once, now. An error of the store is logged.
    pub fn once(mut self) {
        if let Err(error) = self.look(Timestamp::now()) {
            self.has_failed(&error);
        }
    }

    fn has_failed(&self, error: &Error) {
        self.log.say(Level::Warning, format_args!("cannot look for failing domains: {error}"));
    }

    /// Looks at the day of `now`, and tells the operator about each domain that has begun to fail.
    fn look(&mut self, now: Timestamp) -> Result<(), Error> {
        let today = now.to_zoned(TimeZone::UTC).date();
        let mut judged = Vec::new();
        for domain in self.store.watched(today, DOMAINS)? {
            if domain.now.domain.len() <= LONGEST_NAME && self.judge(&domain, today, now)? {
                judged.push(domain.now);
            }
        }
        // After the alerts are in the store: what is not marked is judged again.
        self.store.keep_judged(today, &judged)?;
        self.tell_all(now)
    }

    /// Judges the sessions of a domain since the last judgement. Returns false if they are too few.
    fn judge(&mut self, domain: &WatchedDomain, today: Date, now: Timestamp) -> Result<bool, Error> {
        let WatchedDomain { now: counts, judged: (events_before, failed_before), is_alert } = domain;
        let events = counts.events.saturating_sub(*events_before);
        let failed = counts.failed.saturating_sub(*failed_before);
        match self.threshold.judge(events, failed) {
            Judgement::TooFew => return Ok(false),
            Judgement::Works if *is_alert => {
                if self.store.end_alert(&counts.domain)? {
                    self.log.say(Level::Notice, format_args!("TLS with {} works again", printable(&counts.domain)));
                }
            }
            Judgement::Works => {}
            Judgement::Fails if *is_alert => {}
            Judgement::Fails => {
                let worked_today = events_before > failed_before;
                let first = today.checked_sub(EARLIER_DAYS.days()).unwrap_or(today);
                if worked_today || self.store.has_succeeded(&counts.domain, first, today)? {
                    self.begin(&counts.domain, today, now, (events, failed))?;
                }
            }
        }
        Ok(true)
    }

    fn begin(&mut self, domain: &str, today: Date, now: Timestamp, (events, failed): (u64, u64)) -> Result<(), Error> {
        let found = reasons(&self.store.policies(today, domain)?);
        let named: Vec<_> =
            found.iter().take(REASONS).map(|reason| format!("{}: {}", reason.result_type, reason.times)).collect();
        let alert = Alert {
            domain: domain.to_owned(),
            begun: now,
            events,
            failed,
            reasons: named.join(", "),
            told: None,
            problem: String::new(),
        };
        if self.store.begin_alert(&alert)? {
            let what = printable(&alert.reasons);
            self.log.say(Level::Warning, format_args!("{}; reasons today: {what}", line(&alert)));
        }
        Ok(())
    }

    fn tell_all(&mut self, now: Timestamp) -> Result<(), Error> {
        while let Some(alert) = self.store.take_untold(now, RETRY)? {
            let told = self.messenger.tell(&alert);
            if let Err(why) = &told {
                let (domain, why) = (printable(&alert.domain), printable(why));
                let next = RETRY.as_mins();
                self.log.say(
                    Level::Warning,
                    format_args!("cannot tell the alert about {domain}: {why}; the next attempt is in {next} minutes"),
                );
            }
            self.store.keep_told(&alert.domain, told.as_ref().map(|()| now).map_err(String::as_str))?;
        }
        Ok(())
    }
}
