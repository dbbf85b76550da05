//! Reading an error code

use core::ffi::{CStr, c_char, c_int};

use crate::error::{self, ErrorKind};

/// The errno in an error code, for strerror; for an internal error, the number below 1000 that tells it from the
/// others. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn tlsrpt_errno_from_error_code(errorcode: c_int) -> c_int {
    error::errno_from_code(errorcode)
}

/// 1 if the library itself found the error, so that there is no errno in its code; else 0. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn tlsrpt_error_code_is_internal(errorcode: c_int) -> c_int {
    error::is_internal(errorcode).into()
}

/// What failed, in English, without the errno: never NULL, whatever the code. Static, not to be freed. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn tlsrpt_strerror(errorcode: c_int) -> *const c_char {
    const UNKNOWN: &CStr = c"no error code of the TLSRPT library";
    ErrorKind::from_code(errorcode).map_or(UNKNOWN, ErrorKind::text).as_ptr()
}
