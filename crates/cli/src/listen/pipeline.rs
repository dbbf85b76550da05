//! Starts and ends the threads of `listen`.
//!
//! One thread only reads the socket, so that the queue of the socket stays short. Another shows the datagrams, and a
//! third forwards them, each from its own queue. [`Pipeline::end`] returns in bounded time even if a thread hangs or
//! panics.

use std::{
    io,
    num::NonZeroU64,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use tlsrpt_service::{EndSignal, Patience, Unfinished, Worker};
use tlsrpt_socket::{Listening, Reader, Received, Stop, Waiting};

use super::{
    counts::Counts,
    forward::{Deadline, Forwarding},
    route::{Forwarder, Route},
    shares::Shares,
    show::{Show, show_all},
};
use crate::output::say;

/// How long, after the end, waiting datagrams are still forwarded and shown.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a thread may take on a busy host to notice that it must end.
const SLACK: Duration = Duration::from_millis(500);

/// The parts of a pipeline.
pub(crate) struct Parts {
    pub(crate) listening: Arc<Listening>,
    pub(crate) reader: Reader,
    pub(crate) stop: Stop,
    pub(crate) shares: Shares,
    pub(crate) show: Show,
    /// The number of events after which the command ends.
    pub(crate) count: Option<NonZeroU64>,
    /// The socket of the collector to forward to.
    pub(crate) collector: Option<PathBuf>,
}

/// The running threads.
pub(crate) struct Pipeline {
    listening: Arc<Listening>,
    stop: Stop,
    counts: Arc<Counts>,
    deadline: Deadline,
    to_show: Arc<Waiting>,
    to_forward: Option<Arc<Waiting>>,
    reading: Worker<io::Result<()>>,
    showing: Worker<io::Result<()>>,
    forwarding: Option<Worker<()>>,
}

/// How the threads ended, and the counts of the datagrams.
pub(crate) struct Outcome {
    pub(crate) reading: Result<io::Result<()>, Unfinished>,
    pub(crate) showing: Result<io::Result<()>, Unfinished>,
    pub(crate) forwarding: Option<Forwarded>,
    /// Datagrams that were not shown, because standard output was too slow.
    pub(crate) not_shown: u64,
}

/// The counts of the datagrams to forward.
pub(crate) struct Forwarded {
    pub(crate) ended: Result<(), Unfinished>,
    pub(crate) received: u64,
    pub(crate) forwarded: u64,
    /// Pushed out of the full buffer, too long, or still waiting at the end.
    pub(crate) lost: u64,
    /// Those of them that were pushed out of the full buffer.
    pub(crate) pushed_out: u64,
    /// Not forwarded, because this command has forwarded them before.
    pub(crate) returned: u64,
}

impl Pipeline {
    /// Starts all threads.
    pub(crate) fn start(parts: Parts, end: &EndSignal) -> io::Result<Self> {
        let Parts { listening, reader, stop, shares, show, count, collector } = parts;
        let (counts, deadline) = (Arc::<Counts>::default(), Deadline::default());
        let forwarder = Forwarder::new();
        let to_show = Arc::new(Waiting::new(shares.show));
        let to_forward = collector.is_some().then(|| Arc::new(Waiting::new(shares.forward)));

        let forwarding = match (&to_forward, &collector) {
            (Some(queue), Some(collector)) => {
                let (queue, counts, deadline) = (Arc::clone(queue), Arc::clone(&counts), Arc::clone(&deadline));
                let forwarding = Forwarding::new(queue, collector, forwarder.clone(), counts, deadline);
                Some(Worker::start("forward", end, || forwarding.run())?)
            }
            _ => None,
        };
        let queue = Arc::clone(&to_show);
        let showing = Worker::start("show", end, move || show_all(&queue, show, count))?;
        let sorting = Sorting {
            forwarder,
            counts: Arc::clone(&counts),
            to_show: Arc::clone(&to_show),
            to_forward: to_forward.clone(),
        };
        let socket = Arc::clone(&listening);
        let reading = Worker::start("read", end, move || reader.run(&socket, |arrived| sorting.take(arrived.into())))?;
        Ok(Self { listening, stop, counts, deadline, to_show, to_forward, reading, showing, forwarding })
    }

    /// Ends all threads. Takes at most [`PATIENCE`] and twice [`SLACK`] of the time in which the process runs. Datagrams that still wait then are lost.
    pub(crate) fn end(self) -> Outcome {
        self.listening.remove_name();
        let deadline = Instant::now() + PATIENCE;
        self.stop.now();
        let reading = self.reading.outcome_within(&mut Patience::of(SLACK));
        // The thread that forwards ends by itself at the deadline.
        let mut patience = Patience::of(if self.forwarding.is_some() { PATIENCE + SLACK } else { PATIENCE });
        // Set the deadline before closing the queue: the thread must see it when the queue wakes it.
        let _ = self.deadline.set(deadline);
        self.to_show.close();
        if let Some(queue) = &self.to_forward {
            queue.close();
        }
        let forwarding = self.forwarding.map(|forwarding| forwarding.outcome_within(&mut patience));
        let showing = self.showing.outcome_within(&mut patience);
        let in_hand = if showing.is_ok() { 0 } else { self.to_show.len() as u64 + 1 };
        Outcome {
            reading,
            showing,
            forwarding: forwarding.map(|ended| Forwarded::new(ended, &self.counts, self.to_forward.as_deref())),
            not_shown: self.to_show.lost() + in_hand,
        }
    }
}

impl Forwarded {
    fn new(ended: Result<(), Unfinished>, counts: &Counts, queue: Option<&Waiting>) -> Self {
        let (received, returned, forwarded) = (counts.received.get(), counts.returned.get(), counts.forwarded.get());
        let lost = received.saturating_sub(returned).saturating_sub(forwarded);
        Self { ended, received, forwarded, lost, pushed_out: queue.map_or(0, Waiting::lost), returned }
    }
}

/// Puts each datagram into the queues.
struct Sorting {
    forwarder: Forwarder,
    counts: Arc<Counts>,
    to_show: Arc<Waiting>,
    to_forward: Option<Arc<Waiting>>,
}

impl Sorting {
    fn take(&self, received: Received) {
        self.counts.received.add();
        if let Some(queue) = &self.to_forward {
            if Route::of(received.sender.as_deref()).is_loop(&self.forwarder) {
                if self.counts.returned.add() == 0 {
                    say(
                        "the collector forwards to this command; datagrams that return are neither forwarded nor shown",
                    );
                }
                return;
            }
            queue.push(received.clone());
        }
        self.to_show.push(received);
    }
}

#[cfg(test)]
mod tests {
    use std::{os::unix::net::UnixDatagram, sync::Arc, time::SystemTime};

    use tlsrpt_format::report::{Reports, Sender};
    use tlsrpt_service::{Ending, Unfinished};
    use tlsrpt_socket::{Listening, NameAtEnd, PathOptions, Reader};

    use super::{Parts, Pipeline, Shares};
    use crate::listen::show::{Form, Show};

    /// A clock that panics, in the thread that reads.
    fn broken_clock() -> SystemTime {
        panic!("a test of panics")
    }

    #[test]
    fn a_thread_that_panics_ends_the_command_in_order() {
        let directory = tempfile::tempdir().unwrap();
        let (path, collector) = (directory.path().join("s"), directory.path().join("c"));
        let options = PathOptions { mode: 0o600, owner: None, name: NameAtEnd::Removed };
        let listening = Arc::new(Listening::bind(&path, &options).unwrap());
        let (ending, end) = Ending::new(None).unwrap();
        let (reader, stop) = Reader::new(broken_clock).unwrap();
        let sender = Sender { organization: String::new(), contact: String::new() };
        let show = Show { form: Form::Json, out: Box::new(std::io::sink()), reports: Reports::new(0), sender };
        let shares = Shares::of(1 << 20, Form::Json, true);
        let parts = Parts { listening, reader, stop, shares, show, count: None, collector: Some(collector) };
        let pipeline = Pipeline::start(parts, &end).unwrap();
        UnixDatagram::unbound().unwrap().send_to(b"x", &path).unwrap();
        ending.wait();
        let outcome = pipeline.end();
        assert!(matches!(outcome.reading, Err(Unfinished::Panicked)));
        assert!(matches!(outcome.showing, Ok(Ok(()))));
        let forwarded = outcome.forwarding.unwrap();
        assert_eq!((forwarded.ended, forwarded.received, forwarded.lost), (Ok(()), 0, 0));
        assert!(!path.exists());
    }
}
