//! The version

use core::ffi::{c_char, c_int};

use crate::version;

/// Tells whether this library can stand in for version major.minor.patch: 1 if the major numbers are equal and ours
/// has at least that minor number, else 0. The patch number does not matter.
///
/// Meant for a check at start-up, with the numbers of the header that the program was built with. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn tlsrpt_version_check(major: c_int, minor: c_int, patch: c_int) -> c_int {
    let _any_patch_does = patch;
    version::serves(major, minor).into()
}

/// The version of the library that is in use, in the form of TLSRPT_VERSION_STRING. Static, not to be freed. Any
/// thread.
#[unsafe(no_mangle)]
pub extern "C" fn tlsrpt_version() -> *const c_char {
    version::C_STRING.as_ptr()
}
