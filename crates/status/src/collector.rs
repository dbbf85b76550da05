//! Whether a collector receives events at the socket.

use std::{
    io,
    os::{fd::AsFd, unix::net::UnixDatagram},
    path::Path,
};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tlsrpt_format::without_error_numbers;
use tlsrpt_socket::{Found, probe};

/// The state of the collector's socket. Nothing is sent to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Collector {
    /// The socket is open, and its queue has room for an event. The process that holds the socket may be the service
    /// manager, which starts the collector when an event arrives.
    Listening,
    /// The socket is open and its queue is full: no process reads events.
    QueueFull,
    /// No process listens, for this reason.
    NotListening(String),
    /// The state cannot be determined, for this reason.
    Unknown(String),
}

impl Collector {
    /// Examines a socket.
    #[must_use]
    pub fn look(socket: &Path) -> Self {
        match probe(socket) {
            Found::Listener(connected) if is_full(&connected) => Self::QueueFull,
            Found::Listener(_) => Self::Listening,
            Found::Nothing => Self::NotListening("there is no socket".into()),
            Found::Stale => Self::NotListening("there is a socket, but no process listens".into()),
            Found::OtherKindOfSocket => Self::NotListening("it is not a datagram socket".into()),
            Found::NotASocket(kind) => Self::NotListening(format!("it is {kind}, not a socket")),
            Found::Unknown(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                Self::Unknown("permission denied; run as root or as a user who may write to the socket".into())
            }
            Found::Unknown(error) => Self::Unknown(without_error_numbers(&error.to_string())),
        }
    }

    /// One word for scripts.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Listening => "listening",
            Self::QueueFull => "queue-full",
            Self::NotListening(_) => "not-listening",
            Self::Unknown(_) => "unknown",
        }
    }
}

fn is_full(connected: &UnixDatagram) -> bool {
    let mut awaited = [PollFd::new(connected.as_fd(), PollFlags::POLLOUT)];
    // An error says nothing about the queue.
    poll(&mut awaited, PollTimeout::ZERO).is_ok_and(|ready| ready == 0)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::net::UnixDatagram};

    use super::Collector;

    #[test]
    fn each_state_of_a_socket() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s");
        assert_eq!(Collector::look(&path), Collector::NotListening("there is no socket".into()));
        let collector = UnixDatagram::bind(&path).unwrap();
        assert_eq!(Collector::look(&path), Collector::Listening);
        let send = || {
            let sender = UnixDatagram::unbound().unwrap();
            sender.set_nonblocking(true).unwrap();
            sender.send_to(b"x", &path).is_ok()
        };
        while send() {}
        assert_eq!(Collector::look(&path), Collector::QueueFull);
        collector.recv(&mut [0]).unwrap();
        assert_eq!(Collector::look(&path), Collector::Listening);
        let file = directory.path().join("f");
        fs::write(&file, "").unwrap();
        let Collector::NotListening(reason) = Collector::look(&file) else { panic!() };
        assert!(reason.contains("a regular file"), "{reason}");
    }
}
