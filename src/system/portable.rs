//! System calls and flags that differ between systems.

use core::ffi::c_int;

/// The flag of a send that keeps a closed peer from raising SIGPIPE in the mail server.
#[cfg(not(target_vendor = "apple"))]
pub(super) const NO_SIGPIPE: c_int = libc::MSG_NOSIGNAL;

/// Older macOS has no such flag; [`local_datagram_socket`] sets an option of the socket instead.
#[cfg(target_vendor = "apple")]
pub(super) const NO_SIGPIPE: c_int = 0;

/// Creates a local datagram socket that is closed on exec. Returns the descriptor, or -1 and sets errno.
#[cfg(not(target_vendor = "apple"))]
pub(super) fn local_datagram_socket() -> c_int {
    // SAFETY: takes no pointers.
    unsafe { libc::socket(libc::AF_UNIX, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) }
}

/// Creates a local datagram socket that is closed on exec. Returns the descriptor, or -1 and sets errno.
///
/// macOS has no SOCK_CLOEXEC: a program that another thread executes between the two calls inherits the descriptor.
#[cfg(target_vendor = "apple")]
pub(super) fn local_datagram_socket() -> c_int {
    let on: c_int = 1;
    // SAFETY: takes no pointers.
    let descriptor = unsafe { libc::socket(libc::AF_UNIX, libc::SOCK_DGRAM, 0) };
    if descriptor >= 0 {
        // SAFETY: the pointer and the size are those of `on`. Neither call fails for a descriptor of a new socket.
        unsafe {
            libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC);
            libc::setsockopt(
                descriptor,
                libc::SOL_SOCKET,
                libc::SO_NOSIGPIPE,
                (&raw const on).cast(),
                size_of::<c_int>() as libc::socklen_t,
            );
        }
    }
    descriptor
}
