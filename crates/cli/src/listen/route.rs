//! Detects loops of forwarders, so that two commands that forward to each other do not send a datagram back and forth
//! for ever.
//!
//! Equal datagrams are usual, so their bytes do not show a loop. A forwarder sends from a socket with an abstract name
//! that lists the forwarders that the datagram has passed. Each chooses a random number as its name when it starts. The
//! receiver gets the name of the socket with each datagram. Mail servers send from sockets without a name.
//!
//! Any process of the host can choose such a name. The only effect is that its own datagrams are not forwarded.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    io,
    os::unix::net::UnixDatagram,
};

/// The prefix of the name of each socket that forwards.
const PREFIX: &str = "tlsrpt-forward";
/// Separates the forwarders.
const SEPARATOR: char = '/';
/// The number of forwarders that fit into an abstract name of 107 bytes.
const MOST_FORWARDERS: usize = 5;

/// One running forwarder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Forwarder(String);

/// The forwarders that a datagram has passed, the first at the front.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Route(Vec<String>);

impl Forwarder {
    /// Makes a forwarder with a random number.
    pub(crate) fn new() -> Self {
        // The keys of the hasher are random.
        Self(format!("{:016x}", RandomState::new().build_hasher().finish()))
    }
}

impl Route {
    /// The route of a datagram from a socket with this abstract name.
    pub(crate) fn of(sender: Option<&[u8]>) -> Self {
        let name = sender.and_then(|name| std::str::from_utf8(name).ok()).unwrap_or_default();
        let mut parts = name.split(SEPARATOR);
        if parts.next() == Some(PREFIX) { Self(parts.map(Into::into).collect()) } else { Self::default() }
    }

    /// Whether `forwarder` must not forward a datagram of this route: the datagram has passed `forwarder` already, or
    /// as many others as a name can list.
    pub(crate) fn is_loop(&self, Forwarder(forwarder): &Forwarder) -> bool {
        self.0.contains(forwarder) || self.0.len() >= MOST_FORWARDERS
    }

    /// Makes the socket from which `forwarder` forwards datagrams of this route.
    #[cfg(target_os = "linux")]
    pub(crate) fn socket(&self, Forwarder(forwarder): &Forwarder) -> io::Result<UnixDatagram> {
        use std::os::{linux::net::SocketAddrExt, unix::net::SocketAddr};
        let parts = [PREFIX].into_iter().chain(self.0.iter().map(String::as_str)).chain([forwarder.as_str()]);
        let name = parts.collect::<Vec<_>>().join(&SEPARATOR.to_string());
        // The name is in use or too long only if a sender has forged it; then the socket has no name.
        UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(name)?).or_else(|_| UnixDatagram::unbound())
    }

    /// Other systems have no abstract names, and loops are not detected.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn socket(&self, _: &Forwarder) -> io::Result<UnixDatagram> {
        UnixDatagram::unbound()
    }
}

#[cfg(test)]
mod tests {
    use super::{Forwarder, MOST_FORWARDERS, Route};

    #[cfg(target_os = "linux")]
    fn name_of(socket: &std::os::unix::net::UnixDatagram) -> Vec<u8> {
        use std::os::linux::net::SocketAddrExt;
        socket.local_addr().unwrap().as_abstract_name().unwrap().to_vec()
    }

    #[test]
    fn a_route_grows_with_each_forwarder_and_a_loop_is_detected() {
        let forwarders: Vec<_> = (0..MOST_FORWARDERS).map(|_| Forwarder::new()).collect();
        let mut route = Route::of(None);
        for (passed, forwarder) in forwarders.iter().enumerate() {
            assert_eq!(route.0.len(), passed);
            assert!(!route.is_loop(forwarder));
            let socket = route.socket(forwarder).unwrap();
            route = Route::of(Some(&name_of(&socket)));
            assert!(route.is_loop(forwarder));
        }
        assert!(route.is_loop(&Forwarder::new()));
    }

    #[test]
    fn other_names_are_no_routes() {
        for name in [&b""[..], b"\xff", b"tlsrpt-forwarder/0", b"00000"] {
            assert_eq!(Route::of(Some(name)), Route::default());
        }
    }
}
