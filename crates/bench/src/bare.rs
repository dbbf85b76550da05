//! The same event without a library: only the system calls, with the finished bytes.

use std::{mem, path::Path};

/// The address of the collector, made once.
pub(crate) struct Bare {
    address: libc::sockaddr_un,
}

impl Bare {
    /// Prepares to send to `path`.
    pub(crate) fn new(path: &Path) -> Self {
        // SAFETY: sockaddr_un has only numbers, for which all zeros are valid.
        let mut address: libc::sockaddr_un = unsafe { mem::zeroed() };
        address.sun_family = libc::AF_UNIX as libc::sa_family_t;
        for (place, byte) in address.sun_path.iter_mut().zip(path.as_os_str().as_encoded_bytes()) {
            *place = *byte as libc::c_char;
        }
        Self { address }
    }

    /// Creates the socket as the library does.
    pub(crate) fn socket(&self) -> i32 {
        // SAFETY: takes no pointers.
        unsafe { libc::socket(libc::AF_UNIX, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) }
    }

    /// Sends the datagram, or fails when the queue is full.
    pub(crate) fn send(&self, socket: i32, datagram: &[u8]) {
        self.send_with(socket, datagram, libc::MSG_DONTWAIT);
    }

    /// Sends the datagram, and waits while the queue is full.
    pub(crate) fn send_waiting(&self, socket: i32, datagram: &[u8]) {
        self.send_with(socket, datagram, 0);
    }

    fn send_with(&self, socket: i32, datagram: &[u8], flags: i32) {
        // SAFETY: each pointer comes from a reference, with the size of its value.
        let sent = unsafe {
            libc::sendto(
                socket,
                datagram.as_ptr().cast(),
                datagram.len(),
                flags | libc::MSG_NOSIGNAL,
                (&raw const self.address).cast(),
                size_of::<libc::sockaddr_un>() as libc::socklen_t,
            )
        };
        assert_eq!(sent, datagram.len() as isize, "sendto");
    }

    /// Closes the socket.
    pub(crate) fn close(&self, socket: i32) {
        // SAFETY: `socket` comes from `Self::socket` and is not used again.
        unsafe { libc::close(socket) };
    }
}
