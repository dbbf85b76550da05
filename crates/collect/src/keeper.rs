//! The keeping thread: parses the datagrams of each pack and adds them to the store as one batch.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use jiff::{Timestamp, civil::Date};
use tlsrpt_format::{datagram, printable};
use tlsrpt_service::{Level, Log};
use tlsrpt_store::{Added, Batch, BatchId, CountedEvent, Error, ErrorKind, KeptDays, Purged, Store};

use crate::{
    arrival,
    beyond::Beyond,
    figures::{Figures, add},
    invalid::Messages,
    kept::{Keeping, Kept},
    local::Local,
    pack::Pack,
    queue::{Next, Queue},
    settings::Settings,
    writer,
};

/// How long it waits for datagrams before it checks whether days must be removed.
const IDLE: Duration = Duration::from_secs(10);

/// How long it waits before it tries a failed store again: the first time, and at most.
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// After a pack of [`MANY`] datagrams or more it waits as long as storing that pack took, so that the next transaction
/// has many datagrams too; but not longer than this, so that other programs see events soon.
const LONGEST_REST: Duration = Duration::from_millis(20);

/// A pack of this many datagrams is followed by a wait.
const MANY: u64 = 64;

/// How long it goes on trying a failed store while the service ends.
pub(crate) const GRACE: Duration = Duration::from_secs(10);

/// How many attempts in a row must find a file damaged before it is set aside.
pub(crate) const DAMAGED_FOR_SURE: u32 = 2;

/// Takes packs from the queue and adds them to the store, or to the spool for a store that many hosts share.
pub(crate) struct Keeper {
    settings: Settings,
    queue: Arc<Queue>,
    figures: Arc<Figures>,
    log: Log,
    local: Local,
    store: Option<Box<dyn Store>>,
    id: BatchId,
    trouble: Option<Trouble>,
    kept: Option<Kept>,
    invalid: Messages,
    /// The day on which old days were removed last.
    purged: Option<Date>,
    beyond: Beyond,
}

/// The store fails.
struct Trouble {
    kind: ErrorKind,
    /// How many attempts failed in a row for the same reason.
    attempts: u32,
    retry: Duration,
}

impl Keeper {
    /// Opens the store. If that fails, each batch tries again.
    ///
    /// # Errors
    ///
    /// A later version of this program made the file.
    pub(crate) fn new(
        settings: &Settings,
        local: Local,
        queue: &Arc<Queue>,
        figures: &Arc<Figures>,
        log: Log,
    ) -> Result<Self, Error> {
        let id = BatchId { writer: writer::new(), number: 0 };
        let mut keeper = Self {
            settings: settings.clone(),
            queue: Arc::clone(queue),
            figures: Arc::clone(figures),
            log,
            local,
            store: None,
            id,
            trouble: None,
            kept: None,
            invalid: Messages::default(),
            purged: None,
            beyond: Beyond::new(settings.limits, log),
        };
        match keeper.open() {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Newer => return Err(error),
            Err(error) => keeper.has_failed(&error),
        }
        keeper.kept = settings.keep_invalid.as_deref().and_then(|directory| match Kept::new(directory) {
            Ok(kept) => Some(kept),
            Err(error) => {
                log.say(Level::Warning, format_args!("keep-invalid: {}: {error}", directory.display()));
                None
            }
        });
        Ok(keeper)
    }

    /// Adds packs to the store until the queue is closed and empty.
    pub(crate) fn run(mut self) {
        loop {
            self.purge();
            match self.queue.next(IDLE) {
                Next::Pack(pack) => {
                    let (memory, datagrams, begin) = (pack.memory, pack.len(), Instant::now());
                    self.keep(pack);
                    self.queue.done(memory, datagrams);
                    if datagrams >= MANY {
                        self.queue.gather(begin.elapsed().min(LONGEST_REST));
                    }
                }
                Next::Nothing => {}
                Next::Closed => return,
            }
        }
    }

    fn keep(&mut self, pack: Pack) {
        let datagrams = pack.len();
        let batch = self.batch(pack);
        let Some(added) = self.add(&batch) else { return };
        let events: u64 = batch.events.iter().map(|counted| counted.times).sum();
        add(&self.figures.events, events);
        add(&self.figures.invalid, datagrams - events);
        self.beyond.say(batch.day, added);
    }

    /// Parses the datagrams of a pack.
    fn batch(&mut self, pack: Pack) -> Batch {
        self.id.number += 1;
        let last = arrival::timestamp(pack.last);
        let mut events = Vec::with_capacity(pack.datagrams.len());
        let mut invalid = BTreeMap::new();
        for (bytes, times) in pack.datagrams {
            match datagram::parse(&bytes) {
                Ok(event) => events.push(CountedEvent { event, times }),
                Err(why) => {
                    *invalid.entry(why.reason.name()).or_default() += times;
                    self.say_invalid(&why, &bytes, times, last);
                }
            }
        }
        Batch {
            id: self.id.clone(),
            day: arrival::date(pack.day),
            last_event: (!events.is_empty()).then_some(last),
            events,
            invalid: invalid.into_iter().collect(),
            dropped: pack.dropped,
        }
    }

    fn say_invalid(&mut self, why: &datagram::Invalid, bytes: &[u8], times: u64, at: Timestamp) {
        if let Some(line) = self.invalid.line(why, bytes, times) {
            self.log.say(Level::Warning, line);
        }
        let Some(kept) = &mut self.kept else { return };
        let why = match kept.keep(at, why.reason.name(), bytes) {
            Ok(Keeping::Kept) => return,
            Ok(Keeping::Full) => "the limit of files is reached; remove some and restart to keep more".to_string(),
            Err(error) => error.to_string(),
        };
        self.kept = None;
        self.log.say(Level::Warning, format_args!("invalid datagrams are counted, but no longer kept: {why}"));
    }

    /// Adds a batch, however long it takes. None if the service ends and the store has failed for [`GRACE`] since.
    fn add(&mut self, batch: &Batch) -> Option<Added> {
        let mut end = None;
        loop {
            match self.try_to_add(batch) {
                Ok(added) => {
                    self.works_again();
                    return Some(added);
                }
                Err(error) => self.has_failed(&error),
            }
            let retry = self.trouble.as_ref().map_or(RETRY.0, |trouble| trouble.retry);
            if self.queue.is_closed() {
                let end = *end.get_or_insert_with(|| Instant::now() + GRACE);
                if Instant::now() >= end {
                    return None;
                }
                std::thread::sleep(RETRY.0);
            } else {
                self.queue.rest(retry);
            }
        }
    }

    fn try_to_add(&mut self, batch: &Batch) -> Result<Added, Error> {
        if self.store.is_none() {
            self.open()?;
        }
        match &mut self.store {
            Some(store) => store.add(batch),
            None => Ok(Added::default()),
        }
    }

    fn open(&mut self) -> Result<(), Error> {
        self.store = Some(self.local.open()?);
        Ok(())
    }

    /// Writes a message about the first error of its kind, and decides how to recover.
    fn has_failed(&mut self, error: &Error) {
        let again = self.trouble.as_ref().is_some_and(|trouble| trouble.kind == error.kind());
        if !again {
            let (buffer, name) = (self.settings.buffer, self.local.name());
            self.log.say(
                Level::Error,
                format_args!("{error}; datagrams wait in {buffer} bytes of memory until the {name} takes them"),
            );
        }
        let (attempts, retry) = match &self.trouble {
            Some(trouble) if again => (trouble.attempts + 1, (trouble.retry * 2).min(RETRY.1)),
            _ => (1, RETRY.0),
        };
        self.trouble = Some(Trouble { kind: error.kind(), attempts, retry });
        self.figures.in_trouble.store(true, Ordering::Relaxed);
        self.queue.set_store_works(false);
        if error.kind() != ErrorKind::Locked {
            // Open it anew: the error may be in the open connection.
            self.store = None;
        }
        if error.kind() == ErrorKind::Corrupt && attempts == DAMAGED_FOR_SURE && !self.local.set_aside(self.log) {
            self.trouble = None;
        }
    }

    fn works_again(&mut self) {
        if self.trouble.take().is_some() {
            let (place, name) = (self.local.place(), self.local.name());
            self.log.say(Level::Notice, format_args!("{place}: the {name} takes events again"));
        }
        self.figures.in_trouble.store(false, Ordering::Relaxed);
        self.queue.set_store_works(true);
    }

    /// Removes days older than `keep-days`, once a day.
    fn purge(&mut self) {
        let today = arrival::date(arrival::day_number(arrival::now()));
        if self.purged == Some(today) || self.trouble.is_some() {
            return;
        }
        let Some(store) = &mut self.store else { return };
        match store.purge(KeptDays::last(self.settings.keep_days, today)) {
            Ok(purged) => say_purged(self.log, purged),
            // The next attempt is tomorrow.
            Err(error) => {
                self.log.say(Level::Warning, format_args!("cannot remove old days: {}", printable(&error.to_string())))
            }
        }
        self.purged = Some(today);
    }
}

fn say_purged(log: Log, purged: Purged) {
    if let Some(line) = purged.summary() {
        log.say(Level::Info, line);
    }
    if let Some(warning) = purged.warning() {
        log.say(Level::Warning, warning);
    }
}
