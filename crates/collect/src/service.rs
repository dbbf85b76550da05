//! Starts the threads, watches them and ends them.

use std::{
    io,
    sync::{
        Arc,
        atomic::Ordering,
        mpsc::{self, Sender},
    },
    time::{Duration, Instant, SystemTime},
};

use tlsrpt_service::{EndSignal, Ending, Level, Log, Notifier, Unfinished, Worker};
use tlsrpt_socket::{BindError, Listening, NameAtEnd, PassedError, PathOptions, Reader};
use tlsrpt_store::{SpoolOptions, SpoolState, Url, open_shared};

use crate::{
    arrival,
    figures::{Figures, read},
    keeper::{GRACE, Keeper},
    local::Local,
    passing::{Destination, Passer, in_words},
    queue::{Counts, MOST_IN_HAND, Queue},
    settings::Settings,
    spool::Spool,
};

/// How often [`Watch::tick`] runs.
const TICK: Duration = Duration::from_secs(1);

/// How long the end may take besides [`GRACE`], which the store gets: the time to read the queue of the socket.
const READING: Duration = Duration::from_secs(2);

/// How long the end waits for batches of the spool to be passed on. What is left stays in the spool.
const PASSING: Duration = Duration::from_secs(2);

/// The shortest time between two messages about dropped datagrams.
const DROPPED_INTERVAL: Duration = Duration::from_secs(60);

/// Why the service did not start, or how it failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The socket cannot be created.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The socket of the service manager cannot be used.
    #[error(transparent)]
    Passed(#[from] PassedError),
    /// A later version of this program made the store.
    #[error(transparent)]
    Store(#[from] tlsrpt_store::Error),
    /// The system does not let it wait for signals or read the socket.
    #[error("cannot {0}: {1}")]
    System(&'static str, io::Error),
    /// A thread panicked. The log has its message.
    #[error("a part of the collector has failed")]
    Panicked,
    /// The store failed until the end.
    #[error("{0} datagrams are lost: the store did not take them before the end")]
    Lost(u64),
}

/// Collects until SIGINT, SIGTERM or SIGHUP. On success, every datagram that arrived before the signal is in the store
/// or was dropped and counted.
///
/// # Errors
///
/// It did not start, or datagrams are lost. The reason is already on standard error.
pub fn run(settings: &Settings) -> Result<(), Failure> {
    // Before any thread starts: it changes the environment.
    let passed = Listening::passed();
    let log = Log::start().map_err(|error| Failure::System("start a thread", error))?;
    // Before the socket is created: from then on every signal must lead to its removal.
    let outcome = match Ending::new(None) {
        Ok((ending, end)) => run_until(settings, passed, &ending, &end, log),
        Err(error) => Err(logged(Failure::System("wait for signals", error), log)),
    };
    log.finish();
    outcome
}

/// Collects until `ending`, as a part of a process with other parts. `end` is the signal that belongs to `ending`, and
/// `passed` the result of [`Listening::passed`].
///
/// # Errors
///
/// As [`run`].
pub fn run_until(
    settings: &Settings,
    passed: Result<Option<Listening>, PassedError>,
    ending: &Ending,
    end: &EndSignal,
    log: Log,
) -> Result<(), Failure> {
    let outcome = passed.map_err(Failure::from).and_then(|passed| collect(settings, passed, ending, end, log));
    outcome.map_err(|failure| logged(failure, log))
}

fn logged(failure: Failure, log: Log) -> Failure {
    log.say(Level::Error, &failure);
    failure
}

fn collect(
    settings: &Settings,
    passed: Option<Listening>,
    ending: &Ending,
    end: &EndSignal,
    log: Log,
) -> Result<(), Failure> {
    let listening = Arc::new(match passed {
        Some(passed) => passed,
        None => Listening::bind(&settings.socket, &path_options(settings))?,
    });
    // One less, because the receiving thread holds one datagram itself.
    let queue = Arc::new(Queue::new(settings.buffer, MOST_IN_HAND - 1, arrival::now));
    let figures = Arc::new(Figures::default());
    let shared = Shared::of(settings);
    let local = Local::of(settings, shared.as_ref().map(|shared| &shared.spool));
    let keeper = Keeper::new(settings, local, &queue, &figures, log)?;
    let (reader, stop) = Reader::new(SystemTime::now).map_err(|error| Failure::System("read the socket", error))?;
    let (socket, filled) = (Arc::clone(&listening), Arc::clone(&queue));
    let worker = |error| Failure::System("start a thread", error);
    let receiving = Worker::start("receiving", end, move || receive(reader, &socket, &filled)).map_err(worker)?;
    let keeping = Worker::start("keeping", end, move || keeper.run()).map_err(worker)?;
    let spool = shared.as_ref().map(|shared| shared.spool.clone());
    let passing = shared.map(|shared| shared.start(end, &queue, &figures, log)).transpose().map_err(worker)?;
    say_listening(log, settings, &listening);
    let mut watch = Watch::new(&queue, &figures, spool.as_ref(), log);
    watch.manager.ready();

    while !ending.wait_for(watch.manager.pause(TICK)) {
        watch.tick();
    }
    watch.manager.stopping();
    listening.remove_name();
    stop.now();
    let deadline = Instant::now() + GRACE + READING;
    let received = receiving.outcome_by(deadline);
    queue.close();
    let kept = keeping.outcome_by(deadline);
    let passed = passing.map_or(Ok(()), Passing::end);
    if let Some(spool) = &spool {
        say_left(log, spool);
    }
    summary(log, &queue, &figures)?;
    match (received, kept) {
        (Ok(Err(error)), _) => Err(Failure::System("read the socket", error)),
        (Ok(Ok(())), Ok(())) => passed,
        _ => Err(Failure::Panicked),
    }
}

/// What a collector has if many hosts share the store.
struct Shared {
    spool: Spool,
    to: Destination,
}

impl Shared {
    fn of(settings: &Settings) -> Option<Self> {
        let Url::Postgresql(url) = &settings.url else { return None };
        let options = SpoolOptions { limit: settings.spool_limit, synchronous: settings.synchronous };
        let (location, limits) = (url.clone(), settings.limits);
        let to = Destination {
            place: url.to_string(),
            opening: Box::new(move || open_shared(&location, limits)),
            limits,
            host: settings.host.clone(),
        };
        Some(Self { spool: Spool::new(&settings.spool, options), to })
    }

    /// Starts the passing thread.
    fn start(self, end: &EndSignal, queue: &Arc<Queue>, figures: &Arc<Figures>, log: Log) -> io::Result<Passing> {
        let (ending, ends) = mpsc::channel();
        let passer = Passer::new(self.to, &self.spool, queue, figures, log, ends);
        Ok(Passing { worker: Worker::start("passing", end, move || passer.run())?, ending })
    }
}

/// The passing thread.
struct Passing {
    worker: Worker<()>,
    ending: Sender<Instant>,
}

impl Passing {
    /// Lets it pass on what is left, for [`PASSING`] at most. A thread that waits for the network is abandoned, as a kill
    /// would: the store recognizes what is passed on again.
    fn end(self) -> Result<(), Failure> {
        let deadline = Instant::now() + PASSING;
        // Fails only if it has ended already.
        let _ = self.ending.send(deadline);
        match self.worker.outcome_by(deadline) {
            Ok(()) | Err(Unfinished::Late) => Ok(()),
            Err(Unfinished::Panicked) => Err(Failure::Panicked),
        }
    }
}

/// Writes a message about what stays in the spool.
fn say_left(log: Log, spool: &Spool) {
    let left = spool.state_at_once().map(|state| in_words(&state)).unwrap_or_default();
    if !left.is_empty() {
        let place = spool.path().display();
        log.say(Level::Notice, format_args!("{place}: {left}; the next start passes them on"));
    }
}

/// Writes the counts of the datagrams. Fails if some are lost.
fn summary(log: Log, queue: &Queue, figures: &Figures) -> Result<(), Failure> {
    let Counts { arrived, dropped, .. } = queue.counts();
    let (events, invalid) = (read(&figures.events), read(&figures.invalid));
    let lost = arrived.saturating_sub(events + invalid + dropped);
    log.say(
        Level::Info,
        format_args!("{arrived} datagrams arrived: {events} events, {invalid} invalid, {dropped} dropped, {lost} lost"),
    );
    if lost > 0 { Err(Failure::Lost(lost)) } else { Ok(()) }
}

fn path_options(settings: &Settings) -> PathOptions {
    PathOptions { mode: settings.socket_mode, owner: settings.socket_owner, name: NameAtEnd::Removed }
}

fn receive(reader: Reader, listening: &Listening, queue: &Queue) -> io::Result<()> {
    reader.run(listening, |arrived| {
        queue.push(arrived.bytes, arrival::seconds(arrived.at));
    })
}

fn say_listening(log: Log, settings: &Settings, listening: &Listening) {
    let queue = match listening.queue_length() {
        Some(length) => format!(", with a queue of {length} datagrams"),
        None => String::new(),
    };
    let place = if listening.is_passed() {
        "the socket of the service manager".to_string()
    } else {
        settings.socket.display().to_string()
    };
    let spool = match &settings.url {
        Url::Sqlite(_) => String::new(),
        Url::Postgresql(_) => format!(", the spool is {}", settings.spool.display()),
    };
    log.say(Level::Info, format_args!("listening at {place}{queue}; the store is {}{spool}", settings.url));
}

/// Writes the state to the log and to the service manager.
struct Watch<'s> {
    queue: &'s Queue,
    figures: &'s Figures,
    spool: Option<&'s Spool>,
    /// What waits in the spool, as far as it is known.
    spooled: SpoolState,
    log: Log,
    manager: Notifier,
    dropped: u64,
    dropped_logged: Option<Instant>,
}

impl<'s> Watch<'s> {
    fn new(queue: &'s Queue, figures: &'s Figures, spool: Option<&'s Spool>, log: Log) -> Self {
        let (manager, spooled) = (Notifier::new(), SpoolState::default());
        Self { queue, figures, spool, spooled, log, manager, dropped: 0, dropped_logged: None }
    }

    fn tick(&mut self) {
        // Before the watchdog: `counts` returns only if no thread holds the lock of the queue for ever.
        let counts = self.queue.counts();
        self.manager.alive();
        let due = self.dropped_logged.is_none_or(|last| last.elapsed() >= DROPPED_INTERVAL);
        if counts.dropped > self.dropped && due {
            let more = counts.dropped - self.dropped;
            self.log.say(Level::Warning, format_args!("the buffer is full: {more} datagrams were dropped"));
            (self.dropped, self.dropped_logged) = (counts.dropped, Some(Instant::now()));
        }
        let is_failing = self.figures.in_trouble.load(Ordering::Relaxed);
        let state = match (is_failing, self.spool) {
            (false, _) => "collecting",
            (true, None) => "waiting for the store",
            (true, Some(_)) => "waiting for the spool",
        };
        let spooled = self.spooled();
        self.manager.status(format!(
            "{state}: {} events, {} invalid, {} dropped since the start{spooled}",
            read(&self.figures.events),
            read(&self.figures.invalid),
            counts.dropped
        ));
    }

    /// The part of the status about the spool. It waits for no other thread.
    fn spooled(&mut self) -> String {
        let Some(spool) = self.spool else { return String::new() };
        self.spooled = spool.state_at_once().unwrap_or(self.spooled);
        let waiting = in_words(&self.spooled);
        match (self.figures.store_is_away.load(Ordering::Relaxed), waiting.is_empty()) {
            (false, true) => String::new(),
            (false, false) => format!("; {waiting}"),
            (true, true) => "; the store is away".into(),
            (true, false) => format!("; the store is away, {waiting}"),
        }
    }
}
