//! Forwards datagrams to the collector, in order. While the collector does not accept them, they wait in a queue.

use std::{
    io::{self, ErrorKind},
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    thread,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    sys::socket::{setsockopt, sockopt::SndBuf},
};

use tlsrpt_socket::{Received, Waiting};

use super::{
    counts::Counts,
    route::{Forwarder, Route},
};
use crate::output::say;

/// The pause before the next attempt after an error.
const RETRY: Duration = Duration::from_millis(50);
/// The time that one send waits for room in the queue of the collector.
const SEND: Duration = Duration::from_millis(250);
/// The shortest time between two messages about lost datagrams.
const REPORT_AGAIN: Duration = Duration::from_secs(1);
/// The size in bytes of the send buffer. It limits the memory of the datagrams in the queue of the collector, and the
/// length of each. The system may grant less.
const SEND_BUFFER: usize = 16 << 20;
/// The number of routes whose sockets stay open. A usual host has one or two.
const MOST_ROUTES: usize = 8;

/// The thread that forwards.
pub(crate) struct Forwarding {
    queue: Arc<Waiting>,
    collector: PathBuf,
    forwarder: Forwarder,
    sockets: Vec<(Route, UnixDatagram)>,
    deadline: Deadline,
    outage: Option<ErrorKind>,
    last_loss_report: Option<LossReport>,
    counts: Arc<Counts>,
}

/// Set when the command ends: the time after which nothing more is forwarded.
pub(crate) type Deadline = Arc<OnceLock<Instant>>;

/// The last message about lost datagrams.
struct LossReport {
    lost: u64,
    time: Instant,
}

impl Forwarding {
    pub(crate) fn new(
        queue: Arc<Waiting>,
        collector: &Path,
        forwarder: Forwarder,
        counts: Arc<Counts>,
        deadline: Deadline,
    ) -> Self {
        let collector = collector.into();
        Self {
            queue,
            collector,
            forwarder,
            sockets: Vec::new(),
            deadline,
            outage: None,
            last_loss_report: None,
            counts,
        }
    }

    /// Forwards the datagrams of the queue until it is closed and empty, or the deadline has passed.
    pub(crate) fn run(mut self) {
        while let Some(received) = self.queue.next() {
            if self.deliver(&received) {
                self.counts.forwarded.add();
            }
            if self.is_over() {
                break;
            }
            self.report_losses();
        }
    }

    /// Forwards a datagram. Returns whether the collector received it.
    fn deliver(&mut self, received: &Received) -> bool {
        let route = Route::of(received.sender.as_deref());
        while !self.is_over() {
            match self.send(&received.bytes, &route) {
                Ok(_) => {
                    self.report_recovery();
                    return true;
                }
                Err(error) if error.raw_os_error() == Some(Errno::EMSGSIZE as i32) => {
                    if self.counts.too_long.add() == 0 {
                        let len = received.bytes.len();
                        say(format_args!(
                            "a datagram of {len} bytes is too long to be forwarded; more are only counted"
                        ));
                    }
                    return false;
                }
                // The queue is full, and the send has waited already.
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                Err(error) => {
                    self.report_outage(&error);
                    thread::sleep(RETRY);
                }
            }
            self.report_losses();
        }
        false
    }

    /// Sends once. Waits at most until the deadline.
    fn send(&mut self, datagram: &[u8], route: &Route) -> io::Result<usize> {
        let timeout = match self.deadline.get() {
            Some(deadline) => deadline.saturating_duration_since(Instant::now()).clamp(Duration::from_millis(1), SEND),
            None => SEND,
        };
        let socket = match self.sockets.iter().position(|(known, _)| known == route) {
            Some(index) => self.sockets.get(index),
            None => {
                let socket = route.socket(&self.forwarder)?;
                // If the system refuses, the default size is used.
                let _ = setsockopt(&socket, SndBuf, &SEND_BUFFER);
                self.sockets.truncate(MOST_ROUTES - 1);
                self.sockets.insert(0, (route.clone(), socket));
                self.sockets.first()
            }
        };
        let Some((_, socket)) = socket else { return Err(ErrorKind::NotFound.into()) };
        socket.set_write_timeout(Some(timeout))?;
        // The library is not used here, because the bytes must arrive unchanged.
        socket.send_to(datagram, &self.collector)
    }

    fn is_over(&self) -> bool {
        self.deadline.get().is_some_and(|deadline| Instant::now() >= *deadline)
    }

    fn report_outage(&mut self, error: &io::Error) {
        if self.outage.replace(error.kind()) != Some(error.kind()) {
            say(format_args!("{} takes no datagrams: {error}; they wait", self.collector.display()));
        }
    }

    fn report_recovery(&mut self) {
        if self.outage.take().is_some() {
            say(format_args!("{} takes datagrams again; {} waited", self.collector.display(), self.queue.len() + 1));
        }
    }

    fn report_losses(&mut self) {
        let lost = self.queue.lost();
        let (reported, recently) = match &self.last_loss_report {
            Some(report) => (report.lost, report.time.elapsed() < REPORT_AGAIN),
            None => (0, false),
        };
        if lost > reported && !recently {
            say(format_args!("the buffer is full: {lost} datagrams, the oldest, are lost so far"));
            self.last_loss_report = Some(LossReport { lost, time: Instant::now() });
        }
    }
}
