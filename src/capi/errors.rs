//! Reading an error code

use core::ffi::{CStr, c_char, c_int};

use crate::error::{self, ErrorKind};

/// Returns the errno in an error code, for strerror; for an internal error, its number below 1000. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn tlsrpt_errno_from_error_code(errorcode: c_int) -> c_int {
    error::errno_from_code(errorcode)
}

/// Returns 1 if the library itself found the error, so that its code has no errno; else 0. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn tlsrpt_error_code_is_internal(errorcode: c_int) -> c_int {
    error::is_internal(errorcode).into()
}

/// Returns an English text that names what failed, without the errno. Never NULL, for any code. The text is static: do
/// not free it. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn tlsrpt_strerror(errorcode: c_int) -> *const c_char {
    const UNKNOWN: &CStr = c"no error code of the TLSRPT library";
    ErrorKind::from_code(errorcode).map_or(UNKNOWN, ErrorKind::text).as_ptr()
}
