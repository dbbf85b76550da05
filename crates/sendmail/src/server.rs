//! The map server: one thread that listens to all clients and never waits for one of them.

use std::{
    io,
    os::{fd::AsFd, unix::net::UnixListener},
};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
};

use crate::{
    client::{Client, Gone},
    handshake::Handshake,
    reporter::Reporter,
};

/// How long new clients wait when the system has no descriptor for one, unless a client goes before.
const PAUSE_MS: u16 = 100;

/// Serves clients for ever.
///
/// # Errors
///
/// The listening socket fails.
pub fn serve(listener: &UnixListener, reporter: &Reporter, complain: fn(&str)) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let mut clients: Vec<Client> = Vec::new();
    let mut accepting = true;
    loop {
        let ready = wait(listener, accepting, &clients)?;
        serve_ready(&mut clients, &ready, reporter, complain);
        accepting = accept_all(listener, &mut clients, complain)?;
    }
}

/// Which clients have something to say.
fn wait(listener: &UnixListener, accepting: bool, clients: &[Client]) -> io::Result<Vec<bool>> {
    let mut watched: Vec<_> =
        clients.iter().map(|client| PollFd::new(client.stream().as_fd(), PollFlags::POLLIN)).collect();
    let timeout = if accepting {
        watched.push(PollFd::new(listener.as_fd(), PollFlags::POLLIN));
        PollTimeout::NONE
    } else {
        PollTimeout::from(PAUSE_MS)
    };
    match poll(&mut watched, timeout) {
        Ok(_) | Err(Errno::EINTR) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(watched.iter().take(clients.len()).map(|watched| watched.any().unwrap_or(true)).collect())
}

fn serve_ready(clients: &mut Vec<Client>, ready: &[bool], reporter: &Reporter, complain: fn(&str)) {
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
                complain(&format!("a client of the map is given up: {why}"));
                false
            }
        }
    });
}

/// Takes in every client that waits. Whether there was a descriptor for each.
fn accept_all(listener: &UnixListener, clients: &mut Vec<Client>, complain: fn(&str)) -> io::Result<bool> {
    loop {
        match listener.accept() {
            Ok((stream, _)) => clients.extend(Client::new(stream)),
            Err(error) => {
                return match Errno::from_raw(error.raw_os_error().unwrap_or_default()) {
                    Errno::EAGAIN | Errno::EINTR | Errno::ECONNABORTED => Ok(true),
                    Errno::EMFILE | Errno::ENFILE | Errno::ENOBUFS | Errno::ENOMEM => {
                        complain(&format!("new clients of the map must wait: {error}"));
                        Ok(false)
                    }
                    _ => Err(error),
                };
            }
        }
    }
}
