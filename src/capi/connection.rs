//! The connection
//!
//! A socket for events to one collector. Open it once and keep it, or open it for each event, which costs two more
//! system calls. Several threads may make and finish delivery requests on one connection at the same time, and a child
//! process may use it after a fork. Executed programs do not inherit its descriptor.

use core::ffi::{c_char, c_int};

use super::{
    pointers::{Place, code, connection_handle, required, socket},
    types::ConnectionHandle,
};
use crate::{
    connection::{close_socket, open_socket},
    error::{Error, ErrorKind},
    memory::Shared,
};

/// Opens a connection to the collector that listens at socketname, and sets *pcon to it; to NULL if that fails. The
/// caller closes it with tlsrpt_close.
///
/// The collector need not run yet: each send looks the name up, so the collector may start later or restart, and a
/// relative name follows the working directory. A name has at most 107 bytes on Linux, fewer on systems with a shorter
/// struct sockaddr_un.
///
/// Returns 0; TLSRPT_ERR_TLSRPT_NULLARGUMENT if pcon or socketname is NULL; TLSRPT_ERR_TLSRPT_SOCKETNAMETOOLONG;
/// TLSRPT_ERR_SOCKET + errno; TLSRPT_ERR_MALLOC_OPENCON + errno. Any thread.
///
/// # Safety
///
/// `pcon` is NULL or valid for writes; `socketname` is NULL or a NUL-terminated string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tlsrpt_open(pcon: *mut *mut ConnectionHandle, socketname: *const c_char) -> c_int {
    // SAFETY: `pcon` is NULL or valid for writes, `socketname` is NULL or a NUL-terminated string.
    let open = || unsafe {
        let place = Place::cleared(pcon)?;
        let socket = open_socket(required(socketname)?)?;
        place.set(connection_handle(socket));
        Ok(())
    };
    code(open())
}

/// Closes the connection in *pcon and sets *pcon to NULL, also when the system reports an error.
///
/// Open delivery requests keep the socket until they are finished or cancelled; they can still be sent.
///
/// Returns 0; TLSRPT_ERR_TLSRPT_NOCONNECTION if pcon or *pcon is NULL; TLSRPT_ERR_CLOSE + errno. Any thread, after
/// the last use of the handle.
///
/// # Safety
///
/// `pcon` is NULL or points to a variable that holds NULL or a handle from `tlsrpt_open` that is not closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tlsrpt_close(pcon: *mut *mut ConnectionHandle) -> c_int {
    // SAFETY: `pcon` is NULL or points to an initialized variable.
    let Some(handle) = (unsafe { Place::new(pcon).and_then(|place| place.take()) }) else {
        return Error::internal(ErrorKind::NoConnection).code();
    };
    // SAFETY: a live handle comes from `connection_handle`; the variable no longer holds it, so it is taken once.
    code(close_socket(unsafe { Shared::from_raw(handle.cast()) }))
}

/// Returns the descriptor of the connection's socket, for instance to read its options; -1 if con is NULL. The connection
/// owns the descriptor: do not close it. Any thread.
///
/// # Safety
///
/// `con` is NULL or a handle from `tlsrpt_open` that is not closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tlsrpt_get_socket(con: *mut ConnectionHandle) -> c_int {
    // SAFETY: `con` is NULL or a live handle.
    unsafe { socket(con) }.map_or(-1, |socket| socket.descriptor())
}
