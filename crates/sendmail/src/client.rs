//! One connection of Sendmail to the map server.

use std::os::{fd::AsRawFd, unix::net::UnixStream};

use nix::{
    errno::Errno,
    sys::socket::{MsgFlags, recv, send},
};

use crate::netstring::{self, Frame};

/// The answer to every request: the map has no such key. Sendmail continues at once.
const NOTHING_FOUND: &[u8] = b"9:NOTFOUND ,";
/// The number of bytes that are read from one client at a time, so that no client makes the others wait.
const PORTION: usize = 4096;

/// A client and the part of a request that it has sent so far.
#[derive(Debug)]
pub struct Client {
    stream: UnixStream,
    pending: Vec<u8>,
}

/// Why the connection ends.
#[derive(Debug)]
pub enum Gone {
    /// The client or the system closed it.
    Closed,
    /// The client violates the protocol; the text says how.
    Broken(&'static str),
}

impl Client {
    /// Makes a client. The stream may be in blocking mode: each call here uses `MSG_DONTWAIT`.
    #[must_use]
    pub fn new(stream: UnixStream) -> Self {
        Self { stream, pending: Vec::new() }
    }

    /// The connection, for poll(2).
    #[must_use]
    pub fn stream(&self) -> &UnixStream {
        &self.stream
    }

    /// Reads once, answers every complete request and passes its key to `take`. Does not wait.
    ///
    /// # Errors
    ///
    /// The connection has ended or must be closed.
    pub fn serve(&mut self, mut take: impl FnMut(&[u8])) -> Result<(), Gone> {
        let mut portion = [0; PORTION];
        let count = match recv(self.stream.as_raw_fd(), &mut portion, MsgFlags::MSG_DONTWAIT) {
            Ok(0) => return Err(Gone::Closed),
            Ok(count) => count,
            Err(Errno::EAGAIN | Errno::EINTR) => return Ok(()),
            Err(_) => return Err(Gone::Closed),
        };
        self.pending.extend_from_slice(&portion[..count]);
        let stream = std::mem::take(&mut self.pending);
        let mut rest = stream.as_slice();
        loop {
            match netstring::first(rest) {
                Frame::Whole(key, after) => {
                    answer(&self.stream)?;
                    take(key);
                    rest = after;
                }
                Frame::Partial => break,
                Frame::Broken => {
                    return Err(Gone::Broken("it sends something that is not a netstring, or a key that is too long"));
                }
            }
        }
        self.pending.extend_from_slice(rest);
        Ok(())
    }
}

/// Sends the answer. The buffer of a connection has room for a thousand answers: if it is full, the client does not
/// read.
fn answer(stream: &UnixStream) -> Result<(), Gone> {
    match send(stream.as_raw_fd(), NOTHING_FOUND, MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL) {
        Ok(count) if count == NOTHING_FOUND.len() => Ok(()),
        Ok(_) | Err(Errno::EAGAIN) => Err(Gone::Broken("it does not read the answers")),
        Err(_) => Err(Gone::Closed),
    }
}
