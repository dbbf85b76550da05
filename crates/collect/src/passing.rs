//! The passing thread: passes the batches of the spool on to the store that many hosts share.
//!
//! It never stops the keeping thread. While the store is away, batches stay in the spool, where it merges them.

use std::{
    sync::{
        Arc,
        atomic::Ordering,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use jiff::{Timestamp, civil::Date};
use tlsrpt_service::{Level, Log};
use tlsrpt_store::{Batch, Error, ErrorKind, HostState, Limits, SharedStore, SpoolState, Unreadable, Waiting};

use crate::{
    arrival, beyond::Beyond, figures::Figures, keeper::DAMAGED_FOR_SURE, local::Local, queue::Queue, spool::Spool,
};

/// It begins to pass on what waits at most so often: equal events that arrive meanwhile are passed on as one.
const PAUSE: Duration = Duration::from_secs(1);

/// How long it waits before it tries again after an error: the first time, and at most.
const RETRY: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(10));

/// How often the store learns the state of this host.
const CHECK_IN: Duration = Duration::from_secs(10);

/// The shortest time between two messages about one trouble.
const MESSAGES: Duration = Duration::from_secs(60);

/// How often it merges batches in the spool before it tries a store that is away again.
const MERGES: usize = 32;

/// Opens the store.
pub(crate) type Opening = Box<dyn FnMut() -> Result<Box<dyn SharedStore>, Error> + Send>;

/// Takes batches from the spool and adds them to the store.
pub(crate) struct Passer {
    host: String,
    /// The URL of the store.
    place: String,
    opening: Opening,
    spool: Spool,
    queue: Arc<Queue>,
    figures: Arc<Figures>,
    log: Log,
    /// Gets the time at which the thread must end.
    ends: Receiver<Instant>,
    deadline: Option<Instant>,
    store: Option<Box<dyn SharedStore>>,
    /// The writer whose batches the spool has only as far as the store does not have them.
    known: Option<String>,
    trouble: Option<Trouble>,
    /// When the store last learnt the state of this host, and the day that was said to be the first incomplete one.
    checked_in: Option<(Instant, Date)>,
    /// When the last batch was added to the store.
    last_batch: Option<Timestamp>,
    beyond: Beyond,
}

/// The store or the spool fails.
struct Trouble {
    of: Part,
    kind: ErrorKind,
    /// How many attempts failed in a row for the same reason.
    attempts: u32,
    retry: Duration,
    said: Instant,
}

/// What fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Store,
    Spool,
}

/// An error, and what it is of.
#[derive(Debug)]
struct Failed(Part, Error);

fn of_store(error: Error) -> Failed {
    Failed(Part::Store, error)
}

fn of_spool(error: Error) -> Failed {
    Failed(Part::Spool, error)
}

/// Where a [`Passer`] passes batches on to.
pub(crate) struct Destination {
    /// Its URL.
    pub(crate) place: String,
    /// Opens it.
    pub(crate) opening: Opening,
    /// The limits of a day there, for messages.
    pub(crate) limits: Limits,
    /// The name of this host there.
    pub(crate) host: String,
}

impl Passer {
    pub(crate) fn new(
        to: Destination,
        spool: &Spool,
        queue: &Arc<Queue>,
        figures: &Arc<Figures>,
        log: Log,
        ends: Receiver<Instant>,
    ) -> Self {
        let Destination { place, opening, limits, host } = to;
        Self {
            host,
            place,
            opening,
            spool: spool.clone(),
            queue: Arc::clone(queue),
            figures: Arc::clone(figures),
            log,
            ends,
            deadline: None,
            store: None,
            known: None,
            trouble: None,
            checked_in: None,
            last_batch: None,
            beyond: Beyond::new(limits, log),
        }
    }

    /// Passes batches on until the time that it gets through its channel, and ends before if nothing is left or the store
    /// fails.
    pub(crate) fn run(mut self) {
        loop {
            let begin = Instant::now();
            let rest = match self.pass_all() {
                Ok(()) => PAUSE.saturating_sub(begin.elapsed()),
                Err(failed) => self.has_failed(&failed),
            };
            if self.deadline.is_some() {
                return;
            }
            match self.ends.recv_timeout(rest) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(deadline) => self.deadline = Some(deadline),
                Err(RecvTimeoutError::Disconnected) => self.deadline = Some(Instant::now()),
            }
        }
    }

    /// Whether the service ends, and the time for it has passed.
    fn is_late(&mut self) -> bool {
        if self.deadline.is_none() {
            self.deadline = self.ends.try_recv().ok();
        }
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Passes the batches on that wait now, and keeps the store informed about this host. At the end of the service, also those
    /// that come meanwhile.
    fn pass_all(&mut self) -> Result<(), Failed> {
        let mut left = self.spool.with(tlsrpt_store::Spool::state).map_err(of_spool)?.batches;
        loop {
            self.check_in()?;
            if self.is_late() {
                return Ok(());
            }
            if left == 0 && self.deadline.is_none() {
                break;
            }
            let Some(waiting) = self.spool.with(tlsrpt_store::Spool::oldest).map_err(of_spool)? else { break };
            if self.pass(&waiting)? {
                self.works_again();
                left = left.saturating_sub(waiting.batches() as u64);
            }
        }
        // The batches may have been the last ones of a day.
        self.check_in()?;
        self.works_again();
        Ok(())
    }

    /// Adds batches to the store and removes them from the spool. Returns false if the spool must be asked again.
    fn pass(&mut self, waiting: &Waiting) -> Result<bool, Failed> {
        if self.known.as_deref() != Some(waiting.writer()) {
            return self.remove_known(waiting.writer()).map(|()| false);
        }
        let batch = match waiting.merge() {
            Ok(batch) => batch,
            Err(unreadable) => return self.put_aside(waiting, &unreadable).map(|()| false),
        };
        self.add(&batch).map_err(of_store)?;
        self.spool.with(|spool| spool.remove(waiting)).map_err(of_spool)?;
        Ok(true)
    }

    fn add(&mut self, batch: &Batch) -> Result<(), Error> {
        let added = self.store()?.add(batch)?;
        self.last_batch = Some(Timestamp::now());
        self.beyond.say(batch.day, added);
        Ok(())
    }

    /// Removes the batches of a writer that the store has: the outcome of the last attempt may have been unknown.
    fn remove_known(&mut self, writer: &str) -> Result<(), Failed> {
        let last = self.store().and_then(|store| store.last_batch(writer)).map_err(of_store)?;
        self.spool.with(|spool| spool.remove_known(writer, last)).map_err(of_spool)?;
        self.known = Some(writer.to_owned());
        Ok(())
    }

    fn put_aside(&self, waiting: &Waiting, unreadable: &Unreadable) -> Result<(), Failed> {
        self.spool.with(|spool| spool.put_aside(unreadable)).map_err(of_spool)?;
        let (place, day, reason) = (self.spool.path().display(), waiting.day(), &unreadable.reason);
        let text = "a batch cannot be read and was put aside; its events are in no report";
        self.log.say(Level::Error, format_args!("{place}: {day}: {text}: {reason}"));
        Ok(())
    }

    /// The open store.
    fn store(&mut self) -> Result<&mut dyn SharedStore, Error> {
        let store = match self.store.take() {
            Some(store) => store,
            None => (self.opening)()?,
        };
        Ok(self.store.insert(store).as_mut())
    }

    /// Tells the store the state of this host, if it is time to or a day has become complete.
    fn check_in(&mut self) -> Result<(), Failed> {
        // In this order: a datagram is in the queue before it is in the spool.
        let open = arrival::date(self.queue.first_open_day());
        let state = self.spool.with(tlsrpt_store::Spool::state).map_err(of_spool)?;
        let complete_before = state.first_day.map_or(open, |day| day.min(open));
        if self.checked_in.is_some_and(|(at, said)| at.elapsed() < CHECK_IN && said == complete_before) {
            return Ok(());
        }
        let host = HostState {
            name: self.host.clone(),
            now: Timestamp::now(),
            complete_before,
            last_batch: self.last_batch,
            spool_batches: state.batches,
            spool_bytes: state.bytes,
        };
        self.store().and_then(|store| store.check_in(&host)).map_err(of_store)?;
        self.checked_in = Some((Instant::now(), complete_before));
        Ok(())
    }

    /// Writes a message about the first error, and recovers. Returns how long to wait.
    fn has_failed(&mut self, Failed(of, error): &Failed) -> Duration {
        let (of, kind) = (*of, error.kind());
        let before = self.trouble.take();
        let again = before.as_ref().filter(|trouble| trouble.of == of && trouble.kind == kind);
        let (attempts, retry) = again.map_or((1, RETRY.0), |trouble| (trouble.attempts + 1, trouble.retry));
        let recent = before.as_ref().filter(|trouble| again.is_some() || trouble.said.elapsed() < MESSAGES);
        let said = recent.map_or_else(Instant::now, |trouble| trouble.said);
        if recent.is_none() {
            let spool = self.spool.path().display();
            self.log.say(
                Level::Error,
                format_args!("{error}; batches wait in the spool {spool} until the store takes them"),
            );
        }
        self.trouble = Some(Trouble { of, kind, attempts, retry: (retry * 2).min(RETRY.1), said });
        match of {
            Part::Store => {
                // Open it anew: the error may be in the connection, and the outcome of the attempt is unknown.
                (self.store, self.known) = (None, None);
                self.figures.store_is_away.store(true, Ordering::Relaxed);
                self.merge_in_spool();
            }
            Part::Spool => {
                let is_damaged = kind == ErrorKind::Corrupt && attempts == DAMAGED_FOR_SURE;
                if is_damaged && !Local::Spool(self.spool.clone()).set_aside(self.log) {
                    self.trouble = None;
                }
            }
        }
        retry
    }

    fn works_again(&mut self) {
        if self.trouble.take().is_some() {
            let waiting = self.spool.with(tlsrpt_store::Spool::state).map(|state| state.batches).unwrap_or_default();
            self.log.say(
                Level::Notice,
                format_args!("{}: the store takes batches again; {waiting} wait in the spool", self.place),
            );
        }
        self.figures.store_is_away.store(false, Ordering::Relaxed);
    }

    /// Merges batches in the spool, so that it has room for a longer time. An error shows at the next attempt.
    fn merge_in_spool(&mut self) {
        for _ in 0..MERGES {
            let Ok(Some(waiting)) = self.spool.with(tlsrpt_store::Spool::next_to_merge) else { return };
            let done = match waiting.pack() {
                Ok(merged) => self.spool.with(|spool| spool.replace(&waiting, &merged)).is_ok(),
                Err(unreadable) => self.put_aside(&waiting, &unreadable).is_ok(),
            };
            if !done || self.is_late() {
                return;
            }
        }
    }
}

/// What waits in a spool, in words. Empty if nothing does.
pub(crate) fn in_words(state: &SpoolState) -> String {
    let SpoolState { batches, bytes, oldest, .. } = state;
    let since = oldest.map(|oldest| format!(", since {oldest:.0}")).unwrap_or_default();
    match batches {
        0 => String::new(),
        _ => format!("{batches} batches of {} KiB wait in the spool{since}", bytes.div_ceil(1024)),
    }
}

#[cfg(test)]
mod tests;
