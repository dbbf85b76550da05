//! The version

use core::ffi::{c_char, c_int};

use crate::version;

/// Returns 1 if a program that was built for this level of the interface can use the library: the major numbers are
/// equal, and the minor number of the library is not lower; else 0. The patch number is ignored.
///
/// For a check at start-up, with the numbers of the header that the program was built with. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn tlsrpt_version_check(major: c_int, minor: c_int, patch: c_int) -> c_int {
    let _any_patch_does = patch;
    version::serves(major, minor).into()
}

/// Returns the level of the interface of the library in use, in the form of TLSRPT_VERSION_STRING. The text is static: do
/// not free it. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn tlsrpt_version() -> *const c_char {
    version::C_STRING.as_ptr()
}
