//! Settings of the process
//!
//! A setting takes effect at once, for every connection and thread of the process.

use core::ffi::c_void;

use crate::{memory::Hooks, system};

/// Makes sends wait while the collector's queue is full. For tests and for programs that may wait; not for mail
/// servers, which must not delay mail to save an event. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn tlsrpt_set_blocking() {
    system::set_blocking();
}

/// Makes sends fail at once while the collector's queue is full. This is the default. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn tlsrpt_set_nonblocking() {
    system::set_nonblocking();
}

/// Sets the allocator for handles that are made later. If either function is NULL, restores malloc and free of libc.
///
/// malloc_function may fail: it returns NULL and may set errno, which becomes part of the error code (ENOMEM if it sets
/// none). Neither function changes the errno of a call that succeeds. A handle keeps the pair that it was made with. Do
/// not call this while another thread makes a handle.
///
/// # Safety
///
/// The functions do what `malloc` and `free` do, for as long as a handle made with them exists.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tlsrpt_set_malloc_and_free(
    malloc_function: Option<unsafe extern "C" fn(size: usize) -> *mut c_void>,
    free_function: Option<unsafe extern "C" fn(ptr: *mut c_void)>,
) {
    Hooks::install(malloc_function.zip(free_function));
}
