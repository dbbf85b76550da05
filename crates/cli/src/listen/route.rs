//! The forwarders that a datagram has passed, so that two that forward to each other do not circulate it for ever.
//!
//! Equal datagrams are usual, so a circle cannot be recognized by their bytes. A forwarder sends from a socket with an abstract
//! name that lists the forwarders on the way, by numbers that each chooses at random when it starts. The receiver sees the
//! name with each datagram. Mail servers send from sockets without a name.
//!
//! Any process of the host can choose such a name. The only effect is that its own datagrams are not forwarded.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    io,
    os::unix::net::UnixDatagram,
};

/// Begins the name of each socket that forwards.
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
    /// A number that no other forwarder has.
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

    /// Whether `forwarder` must not forward a datagram of this route: it has passed `forwarder` already, or so many others
    /// that only a circle explains it.
    pub(crate) fn is_circle(&self, Forwarder(forwarder): &Forwarder) -> bool {
        self.0.contains(forwarder) || self.0.len() >= MOST_FORWARDERS
    }

    /// A socket for datagrams of this route that `forwarder` passes on.
    #[cfg(target_os = "linux")]
    pub(crate) fn socket(&self, Forwarder(forwarder): &Forwarder) -> io::Result<UnixDatagram> {
        use std::os::{linux::net::SocketAddrExt, unix::net::SocketAddr};
        let parts = [PREFIX].into_iter().chain(self.0.iter().map(String::as_str)).chain([forwarder.as_str()]);
        let name = parts.collect::<Vec<_>>().join(&SEPARATOR.to_string());
        // The name can be taken or too long only if a sender forged it.
        UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(name)?).or_else(|_| UnixDatagram::unbound())
    }

    /// Elsewhere sockets have no abstract names, and circles are not found.
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
    fn a_route_grows_with_each_forwarder_and_a_circle_is_found() {
        let forwarders: Vec<_> = (0..MOST_FORWARDERS).map(|_| Forwarder::new()).collect();
        let mut route = Route::of(None);
        for (passed, forwarder) in forwarders.iter().enumerate() {
            assert_eq!(route.0.len(), passed);
            assert!(!route.is_circle(forwarder));
            let socket = route.socket(forwarder).unwrap();
            route = Route::of(Some(&name_of(&socket)));
            assert!(route.is_circle(forwarder));
        }
        assert!(route.is_circle(&Forwarder::new()));
    }

    #[test]
    fn other_names_are_no_routes() {
        for name in [&b""[..], b"\xff", b"tlsrpt-forwarder/0", b"00000"] {
            assert_eq!(Route::of(Some(name)), Route::default());
        }
    }
}
