//! The delivery request
//!
//! One event: the TLS results of mail to one domain. Begin it, describe one or several policies, then finish it, which
//! sends it, or cancel it. Only one thread at a time may use a handle.
//!
//! Errors stick: after the first error, the functions that describe a policy do nothing and return the same code. The
//! handle stays valid and must be finished or cancelled. So a caller may check only the result of
//! tlsrpt_finish_delivery_request.

use core::ffi::{c_char, c_int};

use super::{
    pointers::{Place, code, delivery_request_handle, required, socket, take_request},
    types::{ConnectionHandle, DeliveryRequestHandle},
};
use crate::{
    error::{Error, ErrorKind},
    request::Request,
};

/// Begins a delivery request for mail to domainname, whose TLSRPT record (RFC 8460 section 3) is policyrecord, and
/// sets *pdr to it; to NULL if that fails. The caller ends it with tlsrpt_finish_delivery_request or
/// tlsrpt_cancel_delivery_request. The strings are copied.
///
/// Returns 0; TLSRPT_ERR_TLSRPT_NOCONNECTION if con is NULL; TLSRPT_ERR_TLSRPT_NULLARGUMENT if another argument is;
/// TLSRPT_ERR_MALLOC_OPENDR or TLSRPT_ERR_FPRINTF_INITDR + errno if there is no memory. Any thread.
///
/// # Safety
///
/// `pdr` is NULL or valid for writes; `con` is NULL or a handle from `tlsrpt_open` that is not closed; the others are NULL
/// or NUL-terminated strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tlsrpt_init_delivery_request(
    pdr: *mut *mut DeliveryRequestHandle,
    con: *mut ConnectionHandle,
    domainname: *const c_char,
    policyrecord: *const c_char,
) -> c_int {
    // SAFETY: `pdr` is NULL or valid for writes, `con` is NULL or a live handle, the others are NULL or strings.
    let begin = || unsafe {
        let place = Place::cleared(pdr)?;
        let socket = socket(con).ok_or(Error::internal(ErrorKind::NoConnection))?;
        let (domain, record) = (required(domainname)?, required(policyrecord)?);
        let request = Request::begin((*socket).clone(), domain, record)?;
        place.set(delivery_request_handle(request));
        Ok(())
    };
    code(begin())
}

/// Cancels the delivery request in *pdr: frees it, sends nothing, sets *pdr to NULL.
///
/// Returns the first error of the request, or 0; TLSRPT_ERR_TLSRPT_NULLARGUMENT if pdr or *pdr is NULL. The thread
/// that uses the handle.
///
/// # Safety
///
/// `pdr` is NULL or points to a variable that holds NULL or a handle from `tlsrpt_init_delivery_request`, which is neither
/// finished nor cancelled and which no other thread uses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tlsrpt_cancel_delivery_request(pdr: *mut *mut DeliveryRequestHandle) -> c_int {
    // SAFETY: `pdr` is NULL or points to a variable that holds NULL or a live handle.
    code(unsafe { take_request(pdr) }.and_then(Request::cancel))
}

/// Sends the delivery request in *pdr to the collector as one datagram if no error was recorded, frees it in any
/// case, and sets *pdr to NULL.
///
/// Returns 0 if the datagram was sent, or the first error of the request. This function itself returns:
/// TLSRPT_ERR_TLSRPT_UNFINISHEDPOLICY; TLSRPT_ERR_TLSRPT_NOPOLICIES; TLSRPT_ERR_TLSRPT_NULLARGUMENT if pdr or *pdr is
/// NULL; TLSRPT_ERR_FPRINTF_FINISHDR + errno if there is no memory; TLSRPT_ERR_SENDTO + errno, for instance ENOENT if
/// there is no socket, ECONNREFUSED if no process listens on it, EAGAIN if the collector's queue is full (never in
/// blocking mode), EACCES without permission to write to the socket or to search a directory of its path, EMSGSIZE if
/// the datagram is longer than the system allows, even with a raised send buffer. The thread that uses the handle.
///
/// # Safety
///
/// As `tlsrpt_cancel_delivery_request`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tlsrpt_finish_delivery_request(pdr: *mut *mut DeliveryRequestHandle) -> c_int {
    // SAFETY: `pdr` is NULL or points to a variable that holds NULL or a live handle.
    code(unsafe { take_request(pdr) }.and_then(Request::finish))
}
