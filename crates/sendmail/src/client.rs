//! One connection of Sendmail to the map server.

use std::{
    io::{self, ErrorKind, Read, Write},
    os::unix::net::UnixStream,
};

use crate::netstring::{self, Frame};

/// The answer to every request: nothing is found. Sendmail goes on at once.
const NOTHING_FOUND: &[u8] = b"9:NOTFOUND ,";
/// As much as is read at a time, so that no client keeps the others waiting.
const PORTION: usize = 4096;

/// A client and what it has sent of a request so far.
#[derive(Debug)]
pub struct Client {
    stream: UnixStream,
    pending: Vec<u8>,
}

/// Why a client is given up.
#[derive(Debug)]
pub enum Gone {
    /// It has closed the connection, or the system has.
    Closed,
    /// It breaks the protocol.
    Broken(&'static str),
}

impl Client {
    /// A new client.
    ///
    /// # Errors
    ///
    /// The system refuses to make the connection one that never waits.
    pub fn new(stream: UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self { stream, pending: Vec::new() })
    }

    /// The connection, to wait for it.
    #[must_use]
    pub fn stream(&self) -> &UnixStream {
        &self.stream
    }

    /// Takes in what has arrived, answers every whole request and passes its key on.
    ///
    /// # Errors
    ///
    /// The client is to be given up.
    pub fn serve(&mut self, mut take: impl FnMut(&[u8])) -> Result<(), Gone> {
        let mut portion = [0; PORTION];
        let count = match (&self.stream).read(&mut portion) {
            Ok(0) => return Err(Gone::Closed),
            Ok(count) => count,
            Err(error) => return unless_interrupted(&error),
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
                Frame::Broken => return Err(Gone::Broken("what it sends is not a netstring, or too long")),
            }
        }
        self.pending.extend_from_slice(rest);
        Ok(())
    }
}

/// A client that does not read its answers is given up: they fit the connection's buffer a thousand times.
fn answer(mut stream: &UnixStream) -> Result<(), Gone> {
    match stream.write(NOTHING_FOUND) {
        Ok(count) if count == NOTHING_FOUND.len() => Ok(()),
        Ok(_) => Err(Gone::Broken("it does not read the answers")),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Err(Gone::Broken("it does not read the answers")),
        Err(_) => Err(Gone::Closed),
    }
}

fn unless_interrupted(error: &io::Error) -> Result<(), Gone> {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::Interrupted => Ok(()),
        _ => Err(Gone::Closed),
    }
}
