//! The events that are sent to the collectors.

use std::{
    io,
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use crate::collecting::datagram;

/// Events of different domains, in turn. Each collector begins with another domain.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) domains: usize,
    /// Of all collectors.
    pub(crate) events: usize,
    /// Of all collectors, in a second. None: as many as they take.
    pub(crate) rate: Option<f64>,
}

impl Load {
    pub(crate) fn new(domains: usize, events: usize) -> Self {
        Self { domains, events, rate: None }
    }

    /// Sends to each collector its share. Returns when the last event is in the queue of a socket.
    pub(crate) fn send(self, sockets: &[PathBuf]) -> io::Result<()> {
        let share = |number: usize| number * self.events / sockets.len();
        thread::scope(|scope| {
            let start = |(number, socket): (usize, &PathBuf)| {
                let first = number * self.domains / sockets.len();
                let pace = self.rate.map(|rate| Duration::from_secs_f64(sockets.len() as f64 / rate));
                let events = share(number + 1) - share(number);
                let socket = socket.clone();
                scope.spawn(move || self.send_share(&socket, first, events, pace))
            };
            let senders: Vec<_> = sockets.iter().enumerate().map(start).collect();
            senders.into_iter().try_for_each(|sender| sender.join().expect("a sender does not panic"))
        })
    }

    fn send_share(self, socket: &Path, first: usize, events: usize, pace: Option<Duration>) -> io::Result<()> {
        let sender = UnixDatagram::unbound()?;
        sender.connect(socket)?;
        let begin = Instant::now();
        for event in 0..events {
            if let Some(pace) = pace {
                let due = pace * u32::try_from(event).unwrap_or(u32::MAX);
                thread::sleep(due.saturating_sub(begin.elapsed()));
            }
            sender.send(datagram((first + event) % self.domains).as_bytes())?;
        }
        Ok(())
    }
}
