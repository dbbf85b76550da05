//! The arguments of the C functions: handles, variables for handles, strings; any of them may be NULL.

use core::{
    ffi::{CStr, c_char, c_int},
    mem::ManuallyDrop,
    ptr::{self, NonNull},
};

use super::types::{ConnectionHandle, DeliveryRequestHandle};
use crate::{
    error::Error,
    memory::{Owned, Shared},
    request::Request,
    system::Socket,
};

/// 0, or the error's code.
pub(super) fn code(answer: Result<(), Error>) -> c_int {
    match answer {
        Ok(()) => 0,
        Err(error) => error.code(),
    }
}

/// A variable of the caller for a handle.
pub(super) struct Place<T>(NonNull<*mut T>);

impl<T> Place<T> {
    /// # Safety
    ///
    /// `variable` is NULL or valid for reads and writes while this value exists, and nothing else accesses it meanwhile.
    pub(super) unsafe fn new(variable: *mut *mut T) -> Option<Self> {
        NonNull::new(variable).map(Self)
    }

    /// Sets the variable to NULL. It need not be initialized.
    ///
    /// # Safety
    ///
    /// As [`new`](Self::new).
    pub(super) unsafe fn cleared(variable: *mut *mut T) -> Result<Self, Error> {
        // SAFETY: the caller grants what `new` requires of `variable`.
        let place = unsafe { Self::new(variable) }.ok_or(Error::NULL_ARGUMENT)?;
        place.set(ptr::null_mut());
        Ok(place)
    }

    pub(super) fn set(&self, handle: *mut T) {
        // SAFETY: `new` requires a variable that is valid for writes.
        unsafe { self.0.write(handle) };
    }

    /// Takes the handle out and leaves NULL.
    ///
    /// # Safety
    ///
    /// The variable is initialized.
    pub(super) unsafe fn take(&self) -> Option<NonNull<T>> {
        // SAFETY: `new` requires a variable that is valid for reads and writes; the caller grants that it is initialized.
        NonNull::new(unsafe { self.0.replace(ptr::null_mut()) })
    }
}

/// Turns one owner of the socket into a handle.
pub(super) fn connection_handle(socket: Shared<Socket>) -> *mut ConnectionHandle {
    socket.into_raw().cast::<ConnectionHandle>().as_ptr()
}

/// Turns the owner of a request into a handle.
pub(super) fn delivery_request_handle(request: Owned<Request>) -> *mut DeliveryRequestHandle {
    request.into_raw().cast::<DeliveryRequestHandle>().as_ptr()
}

/// The socket of a handle. The handle stays an owner.
///
/// # Safety
///
/// `connection` is NULL or a handle from `tlsrpt_open` that is not closed.
pub(super) unsafe fn socket(connection: *mut ConnectionHandle) -> Option<ManuallyDrop<Shared<Socket>>> {
    // SAFETY: a handle that is not closed comes from `connection_handle`, and `ManuallyDrop` leaves it its owner.
    NonNull::new(connection).map(|handle| ManuallyDrop::new(unsafe { Shared::from_raw(handle.cast()) }))
}

/// Calls `step` with the request of a handle, and returns the code of the result.
///
/// # Safety
///
/// `request` is NULL or a handle from `tlsrpt_init_delivery_request` that is neither finished nor cancelled, and no
/// other thread uses it.
pub(super) unsafe fn step(
    request: *mut DeliveryRequestHandle,
    step: impl FnOnce(&mut Request) -> Result<(), Error>,
) -> c_int {
    // SAFETY: a handle is the address of a request; the caller grants that it is alive and that no other thread uses it.
    match unsafe { request.cast::<Request>().as_mut() } {
        Some(request) => code(step(request)),
        None => Error::NULL_ARGUMENT.code(),
    }
}

/// Takes the request out of a variable for a handle, and sets the variable to NULL.
///
/// # Safety
///
/// `variable` is NULL or points to a variable that holds NULL or a handle as for [`step`].
pub(super) unsafe fn take_request(variable: *mut *mut DeliveryRequestHandle) -> Result<Owned<Request>, Error> {
    // SAFETY: the caller grants that `variable` is NULL or points to an initialized variable.
    let handle = unsafe { Place::new(variable).and_then(|place| place.take()) }.ok_or(Error::NULL_ARGUMENT)?;
    // SAFETY: a live handle comes from `delivery_request_handle`; the variable no longer holds it, so it is taken once.
    Ok(unsafe { Owned::from_raw(handle.cast::<Request>()) })
}

/// A string that may be missing.
///
/// # Safety
///
/// `string` is NULL or points to a NUL-terminated string that does not change as long as the result is used.
pub(super) unsafe fn text<'a>(string: *const c_char) -> Option<&'a [u8]> {
    if string.is_null() {
        return None;
    }
    // SAFETY: the caller grants that `string`, which is not NULL, is NUL-terminated and does not change.
    Some(unsafe { CStr::from_ptr(string) }.to_bytes())
}

/// A string that must be there.
///
/// # Safety
///
/// As [`text`].
pub(super) unsafe fn required<'a>(string: *const c_char) -> Result<&'a [u8], Error> {
    // SAFETY: the caller grants what `text` requires.
    unsafe { text(string) }.ok_or(Error::NULL_ARGUMENT)
}
