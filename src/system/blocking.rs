//! Whether a send may wait.

#![forbid(unsafe_code)]

use core::{
    ffi::c_int,
    sync::atomic::{AtomicBool, Ordering},
};

use super::portable::NO_SIGPIPE;

/// One setting for the process, as `tlsrpt.h` documents. Relaxed is enough: it orders no other memory.
static BLOCKING: AtomicBool = AtomicBool::new(false);

/// Lets every later send of this process wait while the collector's queue is full.
///
/// For programs that prefer waiting to losing an event, and for tests. A mail server stays nonblocking.
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

/// The flags of a send. A closed peer is an error code for the caller, never SIGPIPE for the mail server.
pub(super) fn send_flags(may_wait: bool) -> c_int {
    if may_wait { NO_SIGPIPE } else { NO_SIGPIPE | libc::MSG_DONTWAIT }
}
