//! The two kinds of local sockets that this project uses to listen.

use std::{
    io,
    os::{
        fd::AsFd,
        unix::net::{UnixDatagram, UnixListener},
    },
    path::Path,
};

use listenfd::ListenFd;

/// A kind of local socket that can listen at a path: [`UnixDatagram`] or [`UnixListener`].
pub trait LocalSocket: AsFd + Sized + Send + sealed::Sealed {
    /// Whether the system bounds the waiting datagrams of this kind by `net.unix.max_dgram_qlen`.
    #[doc(hidden)]
    const QUEUES_DATAGRAMS: bool;

    /// Creates a socket at `path`, close-on-exec. Fails if a file exists there.
    #[doc(hidden)]
    fn bind(path: &Path) -> io::Result<Self>;

    /// Takes the descriptor at `index` of those that the service manager passed. None if there is none; an error if it
    /// is not a socket of this kind.
    #[doc(hidden)]
    fn take_passed(passed: &mut ListenFd, index: usize) -> io::Result<Option<Self>>;
}

impl LocalSocket for UnixDatagram {
    const QUEUES_DATAGRAMS: bool = true;

    fn bind(path: &Path) -> io::Result<Self> {
        Self::bind(path)
    }

    fn take_passed(passed: &mut ListenFd, index: usize) -> io::Result<Option<Self>> {
        passed.take_unix_datagram(index)
    }
}

impl LocalSocket for UnixListener {
    const QUEUES_DATAGRAMS: bool = false;

    fn bind(path: &Path) -> io::Result<Self> {
        Self::bind(path)
    }

    fn take_passed(passed: &mut ListenFd, index: usize) -> io::Result<Option<Self>> {
        passed.take_unix_listener(index)
    }
}

mod sealed {
    use std::os::unix::net::{UnixDatagram, UnixListener};

    pub trait Sealed {}
    impl Sealed for UnixDatagram {}
    impl Sealed for UnixListener {}
}
