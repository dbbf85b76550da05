//! The reporter as a service, and as a command that ends when nothing is due.

use std::time::{Duration, Instant};

use jiff::{Timestamp, civil::Date};
use tlsrpt_service::{Ending, Level, Log, Notifier};
use tlsrpt_store::{DeliveryState, Error};

use crate::{Happened, Made, Observer, Reporter, Round, schedule::ready_before};

/// How often it looks for days to report, besides the end of each day: events of earlier days may come late.
const LOOK_FOR_DAYS: Duration = Duration::from_secs(60);
/// How long it rests when there is nothing to do, and how often it looks at what there is to say.
const TICK: Duration = Duration::from_secs(1);
/// How often it counts the deliveries that wait: the store looks at each.
const COUNT_WAITING: Duration = Duration::from_secs(10);
/// How long a store that fails is left alone.
const STORE_RETRY: Duration = Duration::from_secs(10);
/// How long to wait for attempts under way at the end. The next reporter repeats those that have not ended by then.
const PATIENCE: Duration = Duration::from_secs(5);

/// What was done since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Reports that were made.
    pub made: u64,
    /// The outcomes of deliveries.
    pub deliveries: Round,
    /// Deliveries that wait.
    pub waiting: u64,
}

/// Logs the outcomes of deliveries, except those less important than `least`.
#[must_use]
pub fn observer(log: Log, least: Level) -> Observer {
    Observer::new(move |happened| {
        let level = level(happened);
        // A lower number is more important.
        if level as u8 <= least as u8 {
            log.say(level, happened);
        }
    })
}

fn level(happened: &Happened<'_>) -> Level {
    match happened.attempt.state {
        DeliveryState::Failed => Level::Warning,
        DeliveryState::Waiting => Level::Notice,
        DeliveryState::Delivered | DeliveryState::Suppressed | DeliveryState::Cancelled => Level::Info,
    }
}

/// Makes and delivers reports until the end, and informs the service manager. A store that fails is tried again.
///
/// # Errors
///
/// The store fails at the end: outcomes of attempts may be unknown to the next reporter.
pub fn run(mut reporter: Reporter, ending: &Ending, log: Log, mut manager: Notifier) -> Result<(), Error> {
    manager.ready();
    let (mut summary, mut looked, mut in_trouble) = (Summary::default(), None::<(Instant, Date)>, false);
    let (mut rest_until, mut counted) = (Instant::now(), None);
    let mut told: Option<Instant> = None;
    loop {
        if Instant::now() >= rest_until {
            let end = ready_before(Timestamp::now());
            let look = looked.is_none_or(|(at, before)| before != end || at.elapsed() >= LOOK_FOR_DAYS);
            let rest = match work(&mut reporter, look, &mut summary, log) {
                Ok(is_more_to_make) => {
                    if counted.is_none_or(|counted: Instant| counted.elapsed() >= COUNT_WAITING) {
                        // Only for the status line: the next round has the same error.
                        summary.waiting = reporter.waiting().unwrap_or_default();
                        counted = Some(Instant::now());
                    }
                    if look && !is_more_to_make {
                        looked = Some((Instant::now(), end));
                    }
                    if std::mem::take(&mut in_trouble) {
                        log.say(Level::Notice, "the store works again");
                    }
                    if is_more_to_make || !reporter.is_idle() { Duration::ZERO } else { TICK }
                }
                Err(error) => {
                    if !std::mem::replace(&mut in_trouble, true) {
                        log.say(Level::Error, format_args!("{error}; reports wait until the store works"));
                    }
                    STORE_RETRY
                }
            };
            rest_until = Instant::now() + rest;
        }
        manager.alive();
        if told.is_none_or(|told| told.elapsed() >= TICK) {
            manager.status(status(&summary, in_trouble));
            told = Some(Instant::now());
        }
        if ending.wait_for(rest_until.saturating_duration_since(Instant::now()).min(manager.pause(TICK))) {
            break;
        }
    }
    manager.stopping();
    finish(reporter, &mut summary, log).map(drop)
}

/// Makes and delivers what is due now. Ends when nothing is, or at the end.
///
/// # Errors
///
/// What is wrong with the store.
pub fn once(mut reporter: Reporter, ending: &Ending, log: Log) -> Result<Summary, Error> {
    let (mut summary, mut is_made) = (Summary::default(), false);
    loop {
        let is_more_to_make = work(&mut reporter, !is_made, &mut summary, log)?;
        is_made |= !is_more_to_make;
        if ending.wait_for(Duration::ZERO) || is_made && reporter.is_done()? {
            break;
        }
    }
    finish(reporter, &mut summary, log)?;
    Ok(summary)
}

/// Makes some reports if `make`, begins the attempts that are due, and stores outcomes. Returns whether there may be more to make.
fn work(reporter: &mut Reporter, make: bool, summary: &mut Summary, log: Log) -> Result<bool, Error> {
    let made = if make { reporter.make_some()? } else { None };
    if let Some(Made { day, reports, in_no_report, .. }) = made {
        summary.made += reports;
        if reports > 0 {
            log.say(Level::Info, format_args!("{reports} reports about {day} made"));
        }
        if in_no_report > 0 {
            let why = "the domain is no host name, or RFC 8460 does not have the type of the policy";
            log.say(Level::Notice, format_args!("{in_no_report} sessions of {day} are in no report: {why}"));
        }
    }
    let round = reporter.round()?;
    summary.made += round.made;
    summary.deliveries.add(round);
    for note in reporter.notes() {
        log.say(Level::Warning, note);
    }
    Ok(made.is_some_and(|made| !made.is_all || !reporter.has_one_day()))
}

fn finish(mut reporter: Reporter, summary: &mut Summary, log: Log) -> Result<(), Error> {
    let under_way = reporter.finish(PATIENCE)?;
    if under_way > 0 {
        let text = "deliveries are under way at the end; the next start tries them again with the same ids";
        log.say(Level::Warning, format_args!("{under_way} {text}"));
    }
    summary.waiting = reporter.waiting()? + under_way as u64;
    Ok(())
}

/// The status line for the service manager.
fn status(summary: &Summary, in_trouble: bool) -> String {
    let Summary { made, deliveries: Round { delivered, ended, .. }, waiting } = summary;
    let state = if in_trouble { "waiting for the store" } else { "delivering" };
    format!(
        "{state}: {made} reports made, {delivered} deliveries succeeded, {ended} ended otherwise since the start; \
         {waiting} wait"
    )
}
