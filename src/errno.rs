//! The errno of the thread, and the errno of a call that failed.

use core::{ffi::c_int, num::NonZeroU16};

/// An errno that fits into a block of error codes: 1 to 999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Errno(NonZeroU16);

impl Errno {
    /// Stands for a call that failed without a usable errno.
    pub(crate) const EIO: Self = Self::constant(libc::EIO);
    pub(crate) const EINVAL: Self = Self::constant(libc::EINVAL);
    pub(crate) const ENOMEM: Self = Self::constant(libc::ENOMEM);

    /// `number` if it is from 1 to 999, else `otherwise`. Added to a block of error codes, 0 would give the code of an
    /// error without errno, and a larger number a code of another block.
    pub(crate) const fn from_number(number: c_int, otherwise: Self) -> Self {
        if number < 1 || number > 999 {
            return otherwise;
        }
        match NonZeroU16::new(number as u16) {
            Some(number) => Self(number),
            None => otherwise,
        }
    }

    pub(crate) const fn number(self) -> c_int {
        self.0.get() as c_int
    }

    const fn constant(number: c_int) -> Self {
        match NonZeroU16::new(number as u16) {
            Some(number) => Self(number),
            None => panic!("not an errno"),
        }
    }
}

/// Makes one call. Returns `Ok` with its result if `succeeded` accepts the result, else `Err` with the errno that the
/// call set, 0 if it set none. Restores the thread's errno when the call succeeds, so that the mail server keeps its
/// own errno.
pub(crate) fn report_errno<T>(call: impl FnOnce() -> T, succeeded: impl FnOnce(&T) -> bool) -> Result<T, c_int> {
    let errno = location();
    // SAFETY: libc returns the address of this thread's errno, valid as long as the thread runs.
    let before = unsafe { errno.replace(0) };
    let answer = call();
    if succeeded(&answer) {
        // SAFETY: as above.
        unsafe { errno.write(before) };
        Ok(answer)
    } else {
        // SAFETY: as above.
        Err(unsafe { errno.read() })
    }
}

/// Restores the thread's errno when `calls` as a whole succeeds, even if a call in between failed.
pub(crate) fn restore_errno_on_success<T, E>(calls: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    let errno = location();
    // SAFETY: libc returns the address of this thread's errno, valid as long as the thread runs.
    let before = unsafe { errno.read() };
    // SAFETY: as above.
    calls().inspect(|_| unsafe { errno.write(before) })
}

/// Restores the thread's errno after `call`, whether it succeeds or fails. For a call whose failure no caller can act
/// on, such as `free`, or `close` in a destructor.
pub(crate) fn restore_errno<T>(call: impl FnOnce() -> T) -> T {
    let errno = location();
    // SAFETY: libc returns the address of this thread's errno, valid as long as the thread runs.
    let before = unsafe { errno.read() };
    let answer = call();
    // SAFETY: as above.
    unsafe { errno.write(before) };
    answer
}

#[cfg(any(
    target_os = "dragonfly",
    target_os = "emscripten",
    target_os = "fuchsia",
    target_os = "hurd",
    target_os = "l4re",
    target_os = "linux",
    target_os = "redox"
))]
use libc::__errno_location as errno_location;

#[cfg(any(target_os = "freebsd", target_vendor = "apple"))]
use libc::__error as errno_location;

#[cfg(any(target_os = "android", target_os = "netbsd", target_os = "openbsd"))]
use libc::__errno as errno_location;

#[cfg(any(target_os = "illumos", target_os = "solaris"))]
use libc::___errno as errno_location;

#[cfg(target_os = "aix")]
use libc::_Errno as errno_location;

#[cfg(target_os = "haiku")]
use libc::_errnop as errno_location;

#[cfg(target_os = "nto")]
use libc::__get_errno_ptr as errno_location;

fn location() -> *mut c_int {
    // SAFETY: has no preconditions.
    unsafe { errno_location() }
}

#[cfg(test)]
mod tests {
    use super::{Errno, location, report_errno, restore_errno, restore_errno_on_success};

    #[test]
    fn numbers_outside_a_block_are_replaced() {
        assert_eq!(Errno::from_number(0, Errno::ENOMEM), Errno::ENOMEM);
        assert_eq!(Errno::from_number(-5, Errno::EIO), Errno::EIO);
        assert_eq!(Errno::from_number(1000, Errno::EIO), Errno::EIO);
        assert_eq!(Errno::from_number(999, Errno::EIO).number(), 999);
        assert_eq!(Errno::from_number(1, Errno::EIO).number(), 1);
    }

    /// Fails and leaves this errno.
    fn refused(errno: i32) -> Result<(), i32> {
        report_errno(
            || {
                // SAFETY: this thread's errno.
                unsafe { location().write(errno) };
            },
            |()| false,
        )
    }

    fn errno() -> i32 {
        // SAFETY: this thread's errno.
        unsafe { location().read() }
    }

    #[test]
    fn a_failed_call_inside_a_success_leaves_errno_unchanged() {
        assert_eq!(refused(1), Err(1));
        assert_eq!(restore_errno_on_success(|| refused(90).or(Ok::<_, i32>(()))), Ok(()));
        assert_eq!(errno(), 1);
        assert_eq!(restore_errno_on_success(|| refused(90)), Err(90));
        assert_eq!(errno(), 90);
        assert_eq!(restore_errno(|| refused(1)), Err(1));
        assert_eq!(errno(), 90);
    }
}
