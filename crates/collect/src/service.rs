//! The threads, from the start to the end.

use std::{
    io,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant, SystemTime},
};

use tlsrpt_service::{EndSignal, Ending, Level, Log, Notifier, Worker};
use tlsrpt_socket::{BindError, Listening, NameAtEnd, PassedError, PathOptions, Reader};

use crate::{
    arrival,
    figures::{Figures, read},
    keeper::{GRACE, Keeper},
    queue::{Counts, MOST_IN_HAND, Queue},
    settings::Settings,
};

/// How often it looks at what there is to say.
const TICK: Duration = Duration::from_secs(1);

/// How long the end may take besides what the store gets: to read what is in the socket.
const READING: Duration = Duration::from_secs(2);

/// How often it says that datagrams are dropped, at most.
const DROPPED_INTERVAL: Duration = Duration::from_secs(60);

/// Why the service did not start, or how it failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The socket cannot be made.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// What the service manager passes cannot be used.
    #[error(transparent)]
    Passed(#[from] PassedError),
    /// A later version of this program made the store.
    #[error(transparent)]
    Store(#[from] tlsrpt_store::Error),
    /// The system does not let it wait for signals or read the socket.
    #[error("cannot {0}: {1}")]
    System(&'static str, io::Error),
    /// A thread failed. Its message says how.
    #[error("a part of the collector has failed")]
    Panicked,
    /// The store took nothing until the end.
    #[error("{0} datagrams are lost: the store did not take them before the end")]
    Lost(u64),
}

/// Collects until SIGINT, SIGTERM or SIGHUP. What has arrived by then is in the store when it returns.
///
/// # Errors
///
/// It did not start, or could not keep what had arrived. The reason is said on standard error already.
pub fn run(settings: &Settings) -> Result<(), Failure> {
    // Before there are threads: it changes the environment.
    let passed = Listening::passed();
    let log = Log::start().map_err(|error| Failure::System("start a thread", error))?;
    // Before the socket is there: a signal at any time finds someone who removes it.
    let outcome = match Ending::new(None) {
        Ok((ending, end)) => run_until(settings, passed, &ending, &end, log),
        Err(error) => Err(said(Failure::System("wait for signals", error), log)),
    };
    log.finish();
    outcome
}

/// Collects until `ending`, as a part of a process with other parts. `end` is the signal that belongs to it, and `passed` what
/// [`Listening::passed`] gave.
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
    outcome.map_err(|failure| said(failure, log))
}

fn said(failure: Failure, log: Log) -> Failure {
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
    // The receiving thread holds one datagram more.
    let (queue, figures) = (Arc::new(Queue::new(settings.buffer, MOST_IN_HAND - 1)), Arc::new(Figures::default()));
    let keeper = Keeper::new(settings, &queue, &figures, log)?;
    let (reader, stop) = Reader::new(SystemTime::now).map_err(|error| Failure::System("read the socket", error))?;
    let (socket, filled) = (Arc::clone(&listening), Arc::clone(&queue));
    let worker = |error| Failure::System("start a thread", error);
    let receiving = Worker::start("receiving", end, move || receive(reader, &socket, &filled)).map_err(worker)?;
    let keeping = Worker::start("keeping", end, move || keeper.run()).map_err(worker)?;
    say_listening(log, settings, &listening);
    let mut watch = Watch::new(&queue, &figures, log);
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
    summary(log, &queue, &figures)?;
    match (received, kept) {
        (Ok(Err(error)), _) => Err(Failure::System("read the socket", error)),
        (Ok(Ok(())), Ok(())) => Ok(()),
        _ => Err(Failure::Panicked),
    }
}

/// Says what came. An error if something of it is lost.
fn summary(log: Log, queue: &Queue, figures: &Figures) -> Result<(), Failure> {
    let Counts { arrived, dropped, .. } = queue.counts();
    let (events, invalid) = (read(&figures.events), read(&figures.invalid));
    let lost = arrived.saturating_sub(events + invalid + dropped);
    log.say(
        Level::Info,
        format_args!("{arrived} datagrams came: {events} events, {invalid} invalid, {dropped} dropped, {lost} lost"),
    );
    if lost > 0 { Err(Failure::Lost(lost)) } else { Ok(()) }
}

fn path_options(settings: &Settings) -> PathOptions {
    PathOptions { mode: settings.socket_mode, owner: settings.socket_owner, name: NameAtEnd::Removed }
}

fn receive(reader: Reader, listening: &Listening, queue: &Queue) -> io::Result<()> {
    reader.run(listening, |arrived| {
        let at = arrival::seconds(arrived.at);
        queue.push(arrived.bytes, arrival::day_number(at), at);
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
    log.say(Level::Info, format_args!("listening at {place}{queue}; the store is {}", settings.url));
}

/// Tells people and the service manager how things are.
struct Watch<'s> {
    queue: &'s Queue,
    figures: &'s Figures,
    log: Log,
    manager: Notifier,
    dropped: u64,
    dropped_said: Option<Instant>,
}

impl<'s> Watch<'s> {
    fn new(queue: &'s Queue, figures: &'s Figures, log: Log) -> Self {
        Self { queue, figures, log, manager: Notifier::new(), dropped: 0, dropped_said: None }
    }

    fn tick(&mut self) {
        // Taking the counts shows that no thread keeps the queue to itself.
        let counts = self.queue.counts();
        self.manager.alive();
        let due = self.dropped_said.is_none_or(|last| last.elapsed() >= DROPPED_INTERVAL);
        if counts.dropped > self.dropped && due {
            let more = counts.dropped - self.dropped;
            self.log.say(Level::Warning, format_args!("the buffer is full: {more} datagrams were dropped"));
            (self.dropped, self.dropped_said) = (counts.dropped, Some(Instant::now()));
        }
        let state =
            if self.figures.in_trouble.load(Ordering::Relaxed) { "waiting for the store" } else { "collecting" };
        self.manager.status(format!(
            "{state}: {} events, {} invalid, {} dropped since the start",
            read(&self.figures.events),
            read(&self.figures.invalid),
            counts.dropped
        ));
    }
}
