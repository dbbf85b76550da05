//! The datagram socket to the collector.

use core::{
    ffi::{c_char, c_int, c_void},
    mem, slice,
    sync::atomic::{AtomicI32, Ordering},
};

use super::{blocking, portable::local_datagram_socket};
use crate::{
    errno::{Errno, report_errno, restore_errno, restore_errno_on_success},
    error::{Error, ErrorKind},
};

/// The longest name that fits into a socket address with its NUL: 107 bytes on Linux, 103 on macOS and the BSDs.
pub(crate) const MAX_NAME_LEN: usize =
    size_of::<libc::sockaddr_un>() - mem::offset_of!(libc::sockaddr_un, sun_path) - 1;

/// An unconnected local datagram socket, and the name of the collector's socket.
///
/// Each send looks the name up, so the collector may start later or restart, and a relative name follows the working
/// directory.
pub(crate) struct Socket {
    descriptor: c_int,
    /// The largest send buffer that was requested, where the system's default was too small; 0 before.
    requested_buffer: AtomicI32,
    collector: libc::sockaddr_un,
}

impl Socket {
    /// Creates the socket; the collector need not exist yet. `name` is a path without a NUL.
    ///
    /// Programs that the mail server executes do not inherit the descriptor.
    #[inline]
    pub(crate) fn open(name: &[u8]) -> Result<Self, Error> {
        if name.len() > MAX_NAME_LEN {
            return Err(Error::internal(ErrorKind::SocketNameTooLong));
        }
        let descriptor = checked(ErrorKind::Socket, local_datagram_socket, |descriptor| *descriptor >= 0)?;
        Ok(Self { descriptor, requested_buffer: AtomicI32::new(0), collector: address(name) })
    }

    pub(crate) fn descriptor(&self) -> c_int {
        self.descriptor
    }

    /// The name of the collector's socket.
    pub(crate) fn name(&self) -> &[u8] {
        let path = &self.collector.sun_path;
        // SAFETY: an array of `c_char` is an array of bytes of the same length, and lives as long as `self`.
        let path = unsafe { slice::from_raw_parts(path.as_ptr().cast::<u8>(), path.len()) };
        path.split(|byte| *byte == 0).next().unwrap_or_default()
    }

    /// Sends one datagram. Waits only in blocking mode.
    pub(crate) fn send(&self, datagram: &[u8]) -> Result<(), Error> {
        restore_errno_on_success(|| match self.send_once(datagram) {
            Err(error) if error.errno() == Some(libc::EMSGSIZE) && self.make_room_for(datagram.len()) => {
                self.send_once(datagram)
            }
            answer => answer,
        })
    }

    /// Closes the socket and returns the error of `close`. The descriptor is closed in either case.
    pub(crate) fn close(self) -> Result<(), Error> {
        let descriptor = self.descriptor;
        mem::forget(self);
        // SAFETY: `self` owns the descriptor, and forgetting `self` keeps it from being closed twice.
        let close = || unsafe { libc::close(descriptor) };
        checked(ErrorKind::Close, close, |answer| *answer == 0).map(drop)
    }

    fn send_once(&self, datagram: &[u8]) -> Result<(), Error> {
        let may_wait = blocking::may_wait();
        let flags = blocking::send_flags(may_wait);
        loop {
            let answer = checked(ErrorKind::Send, || self.sendto(datagram, flags), |sent| *sent >= 0);
            match answer {
                // A signal that interrupts the wait must not lose the event.
                Err(error) if may_wait && error.errno() == Some(libc::EINTR) => {}
                Err(error) => return Err(error),
                Ok(_) => return Ok(()),
            }
        }
    }

    fn sendto(&self, datagram: &[u8], flags: c_int) -> isize {
        // SAFETY: both pointers come from references, and each size is that of the referenced value.
        unsafe {
            libc::sendto(
                self.descriptor,
                datagram.as_ptr().cast::<c_void>(),
                datagram.len(),
                flags,
                (&raw const self.collector).cast::<libc::sockaddr>(),
                size_of::<libc::sockaddr_un>() as libc::socklen_t,
            )
        }
    }

    /// Raises the send buffer to what a datagram of `len` bytes needs, as far as the system allows.
    fn make_room_for(&self, len: usize) -> bool {
        /// The bytes of the send buffer that Linux needs beside those of a datagram.
        const OVERHEAD: usize = 32;
        /// Linux sets twice the size that is requested.
        const SET_PER_REQUESTED: usize = if cfg!(target_os = "linux") { 2 } else { 1 };
        let needed = len.saturating_add(OVERHEAD).div_ceil(SET_PER_REQUESTED);
        let Ok(needed) = c_int::try_from(needed) else { return false };
        // Never less than another thread requested before.
        let size = self.requested_buffer.fetch_max(needed, Ordering::Relaxed).max(needed);
        // SAFETY: the pointer and the size are those of `size`.
        let set = || unsafe {
            libc::setsockopt(
                self.descriptor,
                libc::SOL_SOCKET,
                libc::SO_SNDBUF,
                (&raw const size).cast::<c_void>(),
                size_of::<c_int>() as libc::socklen_t,
            )
        };
        report_errno(set, |answer| *answer == 0).is_ok()
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // SAFETY: the descriptor belongs to this socket, and nothing uses it afterwards.
        restore_errno(|| unsafe { libc::close(self.descriptor) });
    }
}

/// Runs a system call and turns its failure into the error of this kind.
fn checked<T>(kind: ErrorKind, call: impl FnOnce() -> T, succeeded: impl FnOnce(&T) -> bool) -> Result<T, Error> {
    report_errno(call, succeeded).map_err(|errno| Error::system(kind, Errno::from_number(errno, Errno::EIO)))
}

/// The socket address with this name, of [`MAX_NAME_LEN`] bytes at most.
fn address(name: &[u8]) -> libc::sockaddr_un {
    // SAFETY: a structure of numbers, for which all zeros are valid.
    let mut address: libc::sockaddr_un = unsafe { mem::zeroed() };
    address.sun_family = libc::AF_UNIX as libc::sa_family_t;
    for (place, byte) in address.sun_path.iter_mut().zip(name) {
        *place = *byte as c_char;
    }
    address
}

#[cfg(test)]
mod tests {
    use super::{MAX_NAME_LEN, Socket, address};
    use crate::error::{Error, ErrorKind};

    #[test]
    fn the_longest_name_leaves_room_for_its_nul() {
        let address = address(&[b'x'; MAX_NAME_LEN]);
        assert_eq!(address.sun_path.iter().position(|byte| *byte == 0), Some(MAX_NAME_LEN));
        assert!(Socket::open(&[b'x'; MAX_NAME_LEN]).is_ok());
    }

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn a_datagram_of_an_impossible_size_does_not_affect_later_ones() {
        let socket = Socket::open(b"nobody").unwrap();
        assert!(!socket.make_room_for(1 << 33));
        assert!(socket.make_room_for(300_000));
    }

    #[test]
    fn a_longer_name_is_refused() {
        let too_long = Error::internal(ErrorKind::SocketNameTooLong);
        assert_eq!(Socket::open(&[b'x'; MAX_NAME_LEN + 1]).err(), Some(too_long));
    }
}
