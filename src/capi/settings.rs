//! Settings of the process
//!
//! They hold for every connection of the process, at once and in all threads.

use core::ffi::c_void;

use crate::{memory::Hooks, system};

/// Lets sends wait while the collector's queue is full. A mail server would rather lose an event than wait; this is
/// for other programs, and for tests. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn tlsrpt_set_blocking() {
    system::set_blocking();
}

/// Makes sends fail at once while the collector's queue is full. This is how the library starts. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn tlsrpt_set_nonblocking() {
    system::set_nonblocking();
}

/// Sets the allocator for the handles that are made from now on. If either function is NULL, both malloc and free are
/// libc's again.
///
/// malloc_function may fail: it returns NULL and may set errno, which becomes part of the error code (ENOMEM if it sets
/// none). A handle keeps the pair that it was made with. Not while another thread makes a handle.
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
