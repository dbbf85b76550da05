//! Reads datagrams from a socket as fast as they arrive.

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

/// Longer datagrams are cut. tlsrpt-collectd has the same limit; a usual system sends no datagram above 416 KiB. The
/// system provides the memory of the buffer only as datagrams use it.
const LONGEST: usize = 16 << 20;

/// Reads datagrams until [`Stop::now`].
#[derive(Debug)]
pub struct Reader {
    stopped: Arc<AtomicBool>,
    /// Closed by [`Stop::now`], which wakes the reader.
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
    /// Makes a reader, which takes the time of arrival from `clock`, and the [`Stop`] for it.
    ///
    /// # Errors
    ///
    /// The system cannot create a pair of sockets.
    pub fn new(clock: fn() -> SystemTime) -> io::Result<(Self, Stop)> {
        let (wake, waker) = UnixStream::pair()?;
        let stopped = Arc::new(AtomicBool::new(false));
        let stop = Stop { stopped: Arc::clone(&stopped), wake: waker };
        Ok((Self { stopped, wake, buffer: vec![0; LONGEST], clock }, stop))
    }

    /// Calls `take` with each datagram until [`Stop::now`].
    ///
    /// Then it reads the datagrams that have arrived, and returns. From then on sends fail, so a flood does not prevent
    /// the return. From a passed socket it reads nothing more, because the next process reads that.
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

    /// Reads the next datagram, if there is one. Returns whether there was.
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
        // Fails only if the reader has ended already.
        let _ = self.wake.shutdown(Shutdown::Both);
    }
}

/// How many datagrams to read at most after [`Stop::now`].
fn left_to_read(listening: &Listening<UnixDatagram>) -> usize {
    if listening.is_passed() {
        return 0;
    }
    match listening.socket().shutdown(Shutdown::Read) {
        // Nothing more arrives.
        Ok(()) => usize::MAX,
        // Some systems cannot shut down a socket without a peer.
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
    fn datagrams_that_have_arrived_are_read_at_the_end() {
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
    fn a_flood_does_not_prevent_the_end() {
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
