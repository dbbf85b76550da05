//! What C passes in: handles, places for handles, strings; any of them may be NULL.

use core::{
    ffi::{CStr, c_char, c_int},
    mem::ManuallyDrop,
    ptr::{self, NonNull},
};

use super::types::{ConnectionHandle, DeliveryRequestHandle};
use crate::{
    error::{Error, ErrorKind},
    event::Event,
    memory::{Owned, Shared},
    request::Request,
    system::Socket,
};

pub(super) const NULL_ARGUMENT: Error = Error::internal(ErrorKind::NullArgument);

/// 0, or the error's code.
pub(super) fn code(answer: Result<(), Error>) -> c_int {
    match answer {
        Ok(()) => 0,
        Err(error) => error.code(),
    }
}

/// The caller's variable for a handle.
pub(super) struct Place<T>(NonNull<*mut T>);

impl<T> Place<T> {
    /// # Safety
    ///
    /// `variable` is NULL or points to a variable that only this call uses.
    pub(super) unsafe fn new(variable: *mut *mut T) -> Option<Self> {
        NonNull::new(variable).map(Self)
    }

    /// The variable, set to NULL whatever garbage it held.
    ///
    /// # Safety
    ///
    /// As [`new`](Self::new).
    pub(super) unsafe fn cleared(variable: *mut *mut T) -> Result<Self, Error> {
        // SAFETY: passed on from the caller.
        let place = unsafe { Self::new(variable) }.ok_or(NULL_ARGUMENT)?;
        place.set(ptr::null_mut());
        Ok(place)
    }

    pub(super) fn set(&self, handle: *mut T) {
        // SAFETY: `new` demands a variable of the caller's.
        unsafe { self.0.write(handle) };
    }

    /// Takes the handle out; leaves NULL. The variable must hold NULL or a handle.
    pub(super) fn take(&self) -> Option<NonNull<T>> {
        // SAFETY: `new` demands a variable of the caller's, who initialized it.
        NonNull::new(unsafe { self.0.replace(ptr::null_mut()) })
    }
}

/// Makes an owner of the socket a handle.
pub(super) fn connection_handle(socket: Shared<Socket>) -> *mut ConnectionHandle {
    socket.into_raw().cast::<ConnectionHandle>().as_ptr()
}

/// Makes the owner of a request a handle.
pub(super) fn delivery_request_handle(request: Owned<Request>) -> *mut DeliveryRequestHandle {
    request.into_raw().cast::<DeliveryRequestHandle>().as_ptr()
}

/// The socket behind a handle, which stays an owner.
///
/// # Safety
///
/// `connection` is NULL or a handle from `tlsrpt_open` that is not closed.
pub(super) unsafe fn socket(connection: *mut ConnectionHandle) -> Option<ManuallyDrop<Shared<Socket>>> {
    // SAFETY: handles come from `connection_handle`.
    NonNull::new(connection).map(|handle| ManuallyDrop::new(unsafe { Shared::from_raw(handle.cast()) }))
}

/// Takes a step in the request.
///
/// # Safety
///
/// `request` is NULL or a handle from `tlsrpt_init_delivery_request` that is neither finished nor cancelled, and no
/// other thread uses it.
pub(super) unsafe fn step(
    request: *mut DeliveryRequestHandle,
    step: impl FnOnce(&mut Event) -> Result<(), Error>,
) -> c_int {
    // SAFETY: a handle is the address of a request, alive and used by this call alone.
    match unsafe { request.cast::<Request>().as_mut() } {
        Some(request) => code(request.step(step)),
        None => NULL_ARGUMENT.code(),
    }
}

/// The request in a variable for a handle, which becomes NULL.
///
/// # Safety
///
/// `variable` is NULL or points to a variable that holds NULL or a handle as for [`step`].
pub(super) unsafe fn take_request(variable: *mut *mut DeliveryRequestHandle) -> Result<Owned<Request>, Error> {
    // SAFETY: passed on from the caller.
    let place = unsafe { Place::new(variable) };
    let handle = place.and_then(|place| place.take()).ok_or(NULL_ARGUMENT)?;
    // SAFETY: handles come from `delivery_request_handle`, and the variable no longer holds this one.
    Ok(unsafe { Owned::from_raw(handle.cast::<Request>()) })
}

/// A string that may be missing.
///
/// # Safety
///
/// `string` is NULL or points to a NUL-terminated string that does not change during the call.
pub(super) unsafe fn text<'a>(string: *const c_char) -> Option<&'a [u8]> {
    if string.is_null() {
        return None;
    }
    // SAFETY: passed on from the caller.
    Some(unsafe { CStr::from_ptr(string) }.to_bytes())
}

/// A string that must be there.
///
/// # Safety
///
/// As [`text`].
pub(super) unsafe fn required<'a>(string: *const c_char) -> Result<&'a [u8], Error> {
    // SAFETY: passed on from the caller.
    unsafe { text(string) }.ok_or(NULL_ARGUMENT)
}
