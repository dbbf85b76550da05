//! Passes datagrams on to the real collector, in order. What it does not take at once waits.

use std::{
    io::{self, ErrorKind},
    os::unix::net::UnixDatagram,
    path::PathBuf,
    sync::{Arc, OnceLock},
    thread,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    sys::socket::{setsockopt, sockopt::SndBuf},
};

use tlsrpt_socket::Waiting;

use crate::output::say;

/// How soon a collector that is away is tried again.
const RETRY: Duration = Duration::from_millis(50);
/// How long a send waits for a place in the collector's queue before it looks around.
const SEND: Duration = Duration::from_millis(250);
/// How long, after the end, the collector is given for what still waits.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it may say that datagrams are lost.
const SAY_AGAIN: Duration = Duration::from_secs(1);
/// The send buffer bounds what lies in the collector's queue. As much as the system grants.
const SEND_BUFFER: usize = 16 << 20;

pub(crate) struct Forwarder<'q> {
    queue: &'q Waiting,
    collector: PathBuf,
    socket: UnixDatagram,
    /// Set at the end: until when what waits is still tried.
    until: Arc<OnceLock<Instant>>,
    trouble: Option<ErrorKind>,
    said: Losses,
    passed: Passed,
}

/// What became of the datagrams.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Passed {
    pub(crate) on: u64,
    /// Pushed out by later ones.
    pub(crate) pushed_out: u64,
    /// Refused for their length, or left over at the end.
    pub(crate) undelivered: u64,
}

struct Losses {
    count: u64,
    at: Option<Instant>,
}

impl<'q> Forwarder<'q> {
    pub(crate) fn new(queue: &'q Waiting, collector: PathBuf) -> io::Result<Self> {
        // Not through the library: these bytes are another program's, and must arrive as they came.
        let socket = UnixDatagram::unbound()?;
        socket.set_write_timeout(Some(SEND))?;
        // Without it, the usual one has to do.
        let _ = setsockopt(&socket, SndBuf, &SEND_BUFFER);
        let said = Losses { count: 0, at: None };
        Ok(Self { queue, collector, socket, until: Arc::default(), trouble: None, said, passed: Passed::default() })
    }

    /// To be called at the end: the forwarder gives up some time later.
    pub(crate) fn give_up(&self) -> impl FnOnce() + use<> {
        let until = Arc::clone(&self.until);
        move || {
            let _ = until.set(Instant::now() + PATIENCE);
        }
    }

    /// Passes on what comes into the queue until it is closed and empty.
    pub(crate) fn run(mut self) -> Passed {
        while let Some(datagram) = self.queue.next() {
            if self.deliver(&datagram.bytes) {
                self.passed.on += 1;
            } else {
                self.passed.undelivered += 1;
            }
            self.say_losses();
        }
        self.passed.pushed_out = self.queue.lost();
        self.passed
    }

    /// Whether the collector took the datagram.
    fn deliver(&mut self, datagram: &[u8]) -> bool {
        loop {
            match self.socket.send_to(datagram, &self.collector) {
                Ok(_) => {
                    self.say_back();
                    return true;
                }
                Err(error) if error.raw_os_error() == Some(Errno::EMSGSIZE as i32) => {
                    say(format_args!("a datagram of {} bytes is too long to be passed on", datagram.len()));
                    return false;
                }
                Err(error) if self.is_over() => {
                    self.say_trouble(&error);
                    return false;
                }
                // A full queue: the send has waited for it already.
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                Err(error) => {
                    self.say_trouble(&error);
                    thread::sleep(RETRY);
                }
            }
            self.say_losses();
        }
    }

    fn is_over(&self) -> bool {
        self.until.get().is_some_and(|until| Instant::now() >= *until)
    }

    fn say_trouble(&mut self, error: &io::Error) {
        if self.trouble.replace(error.kind()) != Some(error.kind()) {
            say(format_args!("{} does not take datagrams: {error}; they wait", self.collector.display()));
        }
    }

    fn say_back(&mut self) {
        if self.trouble.take().is_some() {
            say(format_args!("{} takes datagrams again; {} waited", self.collector.display(), self.queue.len() + 1));
        }
    }

    fn say_losses(&mut self) {
        let count = self.queue.lost();
        let lately = self.said.at.is_some_and(|at| at.elapsed() < SAY_AGAIN);
        if count > self.said.count && !lately {
            say(format_args!("the buffer is full: {count} datagrams, the oldest, are lost so far"));
            self.said = Losses { count, at: Some(Instant::now()) };
        }
    }
}
