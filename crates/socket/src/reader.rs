//! Takes datagrams off a socket as fast as they arrive.

use std::{
    io::{self, ErrorKind},
    net::Shutdown,
    os::{
        fd::AsFd,
        unix::net::{SocketAddr, UnixDatagram, UnixStream},
    },
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::SystemTime,
};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::{listening::Listening, queue_length, received::Arrived};

/// Longer datagrams are cut. The same as tlsrpt-collectd's; a usual system sends none above 416 KiB. Memory that no
/// datagram has touched is not taken.
const LONGEST: usize = 16 << 20;

/// Reads datagrams until [`Stop::now`].
#[derive(Debug)]
pub struct Reader {
    stopped: Arc<AtomicBool>,
    /// Closed when it is to stop, so that it wakes up.
    wake: UnixStream,
    buffer: Vec<u8>,
    clock: fn() -> SystemTime,
}

/// Stops a reader.
#[derive(Debug)]
pub struct Stop {
    stopped: Arc<AtomicBool>,
    wake: UnixStream,
}

impl Reader {
    /// A reader that stamps datagrams by this clock, and its stop switch.
    ///
    /// # Errors
    ///
    /// The system makes no pair of sockets.
    pub fn new(clock: fn() -> SystemTime) -> io::Result<(Self, Stop)> {
        let (wake, waker) = UnixStream::pair()?;
        let stopped = Arc::new(AtomicBool::new(false));
        let stop = Stop { stopped: Arc::clone(&stopped), wake: waker };
        Ok((Self { stopped, wake, buffer: vec![0; LONGEST], clock }, stop))
    }

    /// Calls `take` with each datagram until [`Stop::now`].
    ///
    /// What has arrived by then is still read, and nothing more: senders are refused from then on, so a flood does not keep
    /// it from returning. From a socket of the service manager nothing more is read, since the next process reads it.
    ///
    /// # Errors
    ///
    /// The system fails to read the socket or to wait for it.
    pub fn run(mut self, listening: &Listening<UnixDatagram>, mut take: impl FnMut(Arrived<'_>)) -> io::Result<()> {
        let socket = listening.socket();
        socket.set_nonblocking(true)?;
        while !self.stopped.load(Ordering::Relaxed) {
            if !self.read(socket, &mut take)? {
                self.wait(socket)?;
            }
        }
        for _ in 0..left_to_read(listening) {
            if !self.read(socket, &mut take)? {
                break;
            }
        }
        Ok(())
    }

    /// Takes the next datagram, if there is one. Whether there was.
    fn read(&mut self, socket: &UnixDatagram, take: &mut impl FnMut(Arrived<'_>)) -> io::Result<bool> {
        loop {
            return match socket.recv_from(&mut self.buffer) {
                Ok((len, sender)) => {
                    let bytes = self.buffer.get(..len).unwrap_or_default();
                    take(Arrived { bytes, at: (self.clock)(), sender: abstract_name(&sender) });
                    Ok(true)
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => Err(error),
            };
        }
    }

    /// Waits for a datagram or the end.
    fn wait(&self, socket: &UnixDatagram) -> io::Result<()> {
        let mut awaited =
            [PollFd::new(socket.as_fd(), PollFlags::POLLIN), PollFd::new(self.wake.as_fd(), PollFlags::POLLIN)];
        match poll(&mut awaited, PollTimeout::NONE) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl Stop {
    /// Stops the reader.
    pub fn now(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        // Fails only where the reader has ended by itself.
        let _ = self.wake.shutdown(Shutdown::Both);
    }
}

/// How many datagrams may still be read at the end.
fn left_to_read(listening: &Listening<UnixDatagram>) -> usize {
    if listening.is_passed() {
        return 0;
    }
    match listening.socket().shutdown(Shutdown::Read) {
        // Nothing more arrives.
        Ok(()) => usize::MAX,
        // Not every system shuts down a socket without a peer.
        Err(_) => listening.queue_length().unwrap_or(queue_length::LONG) as usize + 1,
    }
}

#[cfg(target_os = "linux")]
fn abstract_name(sender: &SocketAddr) -> Option<&[u8]> {
    use std::os::linux::net::SocketAddrExt;
    sender.as_abstract_name()
}

#[cfg(not(target_os = "linux"))]
fn abstract_name(_: &SocketAddr) -> Option<&[u8]> {
    None
}

#[cfg(test)]
mod tests {
    use std::{os::unix::net::UnixDatagram, time::SystemTime};

    use super::{Arrived, Reader};
    use crate::listening::{Listening, NameAtEnd, PathOptions};

    const OPTIONS: PathOptions = PathOptions { mode: 0o600, owner: None, name: NameAtEnd::Removed };

    #[test]
    fn what_has_arrived_is_read_at_the_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s");
        let listening = Listening::bind(&path, &OPTIONS).unwrap();
        let sender = UnixDatagram::unbound().unwrap();
        for _ in 0..10 {
            sender.send_to(b"x", &path).unwrap();
        }
        let (reader, stop) = Reader::new(SystemTime::now).unwrap();
        stop.now();
        let mut read = 0;
        reader.run(&listening, |_| read += 1).unwrap();
        assert_eq!(read, 10);
        assert!(sender.send_to(b"x", &path).is_err());
    }

    #[test]
    fn a_flood_does_not_keep_it_from_ending() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s");
        let listening = Listening::bind(&path, &OPTIONS).unwrap();
        let (reader, stop) = Reader::new(SystemTime::now).unwrap();
        // A connected sender does not need the name.
        let sender = UnixDatagram::unbound().unwrap();
        sender.connect(&path).unwrap();
        sender.send(b"x").unwrap();
        let mut read = 0;
        // Each datagram is followed by the next, so the queue is never empty.
        let take = |_: Arrived<'_>| {
            let _ = sender.send(b"x");
            read += 1;
            if read == 1000 {
                stop.now();
            }
            assert!(read < 100_000, "the reader does not stop");
        };
        reader.run(&listening, take).unwrap();
        assert!(read >= 1000);
    }
}
