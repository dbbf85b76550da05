//! Takes datagrams off the socket as fast as they come.

use std::{
    io::{self, ErrorKind},
    net::Shutdown,
    os::{
        fd::AsFd,
        unix::net::{UnixDatagram, UnixStream},
    },
    time::SystemTime,
};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::Received;

/// Longer datagrams are cut. The same as tlsrpt-collectd's; a usual system sends none above 208 KiB. Memory that no
/// datagram has touched is not taken.
const LONGEST: usize = 16 << 20;

/// Reads until it is told to stop.
pub struct Reader {
    told: UnixStream,
    buffer: Vec<u8>,
    clock: fn() -> SystemTime,
}

/// Stops a reader.
pub struct Stop(UnixStream);

impl Reader {
    /// A reader that stamps datagrams by this clock, and what stops it.
    pub fn new(clock: fn() -> SystemTime) -> io::Result<(Self, Stop)> {
        let (told, stop) = UnixStream::pair()?;
        Ok((Self { told, buffer: vec![0; LONGEST], clock }, Stop(stop)))
    }

    /// Passes on what comes. Once told to stop, it reads what is there already and returns.
    pub fn run(mut self, socket: &UnixDatagram, mut pass_on: impl FnMut(Received)) -> io::Result<()> {
        socket.set_nonblocking(true)?;
        loop {
            let stopped = self.wait(socket)?;
            while let Some(received) = self.read(socket)? {
                pass_on(received);
            }
            if stopped {
                return Ok(());
            }
        }
    }

    /// The next datagram, if there is one.
    fn read(&mut self, socket: &UnixDatagram) -> io::Result<Option<Received>> {
        loop {
            return match socket.recv(&mut self.buffer) {
                Ok(len) => {
                    let bytes = self.buffer.get(..len).unwrap_or_default().into();
                    Ok(Some(Received { bytes, at: (self.clock)() }))
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => Err(error),
            };
        }
    }

    /// Waits for a datagram or the end. Whether it is the end.
    fn wait(&self, socket: &UnixDatagram) -> io::Result<bool> {
        let mut awaited =
            [PollFd::new(socket.as_fd(), PollFlags::POLLIN), PollFd::new(self.told.as_fd(), PollFlags::POLLIN)];
        match poll(&mut awaited, PollTimeout::NONE) {
            Ok(_) => Ok(awaited.last().and_then(PollFd::any).unwrap_or(false)),
            Err(nix::errno::Errno::EINTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

impl Stop {
    /// Tells the reader to read what has arrived already and return.
    pub fn now(&self) {
        // Fails only where the reader has ended by itself.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}
