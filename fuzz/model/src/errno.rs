//! The errno of this thread, which a call that succeeds leaves alone.

/// Sets errno.
pub fn set(number: i32) {
    // SAFETY: libc gives the address of this thread's errno.
    unsafe { *libc::__errno_location() = number }
}

/// Reads errno.
pub fn get() -> i32 {
    // SAFETY: as in `set`.
    unsafe { *libc::__errno_location() }
}
