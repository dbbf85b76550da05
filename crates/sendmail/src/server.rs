//! The map server: one thread that serves all clients and waits for none of them.

use std::{
    io,
    os::{fd::AsFd, unix::net::UnixListener},
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
};

use crate::{
    client::{Client, Gone},
    handshake::Handshake,
    reporter::{Complain, Reporter},
};

/// How long the server accepts no clients after a lack of descriptors, unless a client closes its connection before.
const PAUSE: Duration = Duration::from_millis(100);
/// The shortest time between two messages about a lack of descriptors.
const BETWEEN_COMPLAINTS: Duration = Duration::from_secs(60);

/// Serves clients for ever.
///
/// # Errors
///
/// The listening socket fails.
pub fn serve(listener: &UnixListener, reporter: &Reporter, complain: &Complain) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let mut clients: Vec<Client> = Vec::new();
    let mut shortage = Shortage::default();
    loop {
        let ready = wait(listener, shortage.pause(), &clients)?;
        let before = clients.len();
        serve_ready(&mut clients, &ready, reporter, complain);
        if clients.len() < before {
            shortage.resume();
        }
        if shortage.pause().is_none() {
            accept_all(listener, &mut clients, &mut shortage, complain)?;
        }
    }
}

/// Waits for clients with requests, and for new ones unless there is a pause. Returns for each client whether it is ready.
fn wait(listener: &UnixListener, pause: Option<Duration>, clients: &[Client]) -> io::Result<Vec<bool>> {
    let mut watched: Vec<_> =
        clients.iter().map(|client| PollFd::new(client.stream().as_fd(), PollFlags::POLLIN)).collect();
    let timeout = match pause {
        // One millisecond more: poll rounds down, and would return before the pause is over.
        Some(pause) => PollTimeout::try_from(pause + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX),
        None => {
            watched.push(PollFd::new(listener.as_fd(), PollFlags::POLLIN));
            PollTimeout::NONE
        }
    };
    match poll(&mut watched, timeout) {
        Ok(_) | Err(Errno::EINTR) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(watched.iter().take(clients.len()).map(|watched| watched.any().unwrap_or(true)).collect())
}

fn serve_ready(clients: &mut Vec<Client>, ready: &[bool], reporter: &Reporter, complain: &Complain) {
    let mut ready = ready.iter();
    clients.retain_mut(|client| {
        if !ready.next().copied().unwrap_or_default() {
            return true;
        }
        let take = |key: &[u8]| {
            if let Err(problem) = Handshake::read(key).and_then(|handshake| reporter.take(handshake)) {
                complain(&problem);
            }
        };
        match client.serve(take) {
            Ok(()) => true,
            Err(Gone::Closed) => false,
            Err(Gone::Broken(why)) => {
                complain(&format!("closing the connection of a client of the map: {why}"));
                false
            }
        }
    });
}

/// Accepts every client that waits.
fn accept_all(
    listener: &UnixListener,
    clients: &mut Vec<Client>,
    shortage: &mut Shortage,
    complain: &Complain,
) -> io::Result<()> {
    loop {
        match listener.accept() {
            Ok((stream, _)) => clients.push(Client::new(stream)),
            Err(error) => match Errno::from_raw(error.raw_os_error().unwrap_or_default()) {
                Errno::EAGAIN => return Ok(()),
                Errno::EINTR | Errno::ECONNABORTED => {}
                Errno::EMFILE | Errno::ENFILE | Errno::ENOBUFS | Errno::ENOMEM => {
                    shortage.begin(&error, clients.len(), complain);
                    return Ok(());
                }
                _ => return Err(error),
            },
        }
    }
}

/// A lack of descriptors or memory for new clients.
#[derive(Debug, Default)]
struct Shortage {
    paused_until: Option<Instant>,
    complained_at: Option<Instant>,
}

impl Shortage {
    /// How long new clients still wait.
    fn pause(&self) -> Option<Duration> {
        let left = self.paused_until?.saturating_duration_since(Instant::now());
        Some(left).filter(|left| !left.is_zero())
    }

    fn resume(&mut self) {
        self.paused_until = None;
    }

    fn begin(&mut self, error: &io::Error, clients: usize, complain: &Complain) {
        let now = Instant::now();
        self.paused_until = Some(now + PAUSE);
        if self.complained_at.is_none_or(|at| now.duration_since(at) >= BETWEEN_COMPLAINTS) {
            self.complained_at = Some(now);
            complain(&format!(
                "new clients of the map must wait, {clients} are connected: {error}; raise the limit of open files \
                 (LimitNOFILE in the unit)"
            ));
        }
    }
}
