//! Whether a send may wait.

#![forbid(unsafe_code)]

use core::{
    ffi::c_int,
    sync::atomic::{AtomicBool, Ordering},
};

/// Process-wide, as `tlsrpt.h` has it. Relaxed is enough: nothing else is published with it.
static BLOCKING: AtomicBool = AtomicBool::new(false);

/// Lets every later send of this process wait until the collector's queue has room.
///
/// For programs that would rather wait than lose an event, and for tests. A mail server stays nonblocking.
pub fn set_blocking() {
    BLOCKING.store(true, Ordering::Relaxed);
}

/// Makes every later send of this process fail at once when the collector's queue is full. This is the default.
pub fn set_nonblocking() {
    BLOCKING.store(false, Ordering::Relaxed);
}

pub(super) fn may_wait() -> bool {
    BLOCKING.load(Ordering::Relaxed)
}

/// The flags of a send. A closed peer is an error code for the caller, never a SIGPIPE for the mail server.
pub(super) fn send_flags(may_wait: bool) -> c_int {
    if may_wait { libc::MSG_NOSIGNAL } else { libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT }
}
