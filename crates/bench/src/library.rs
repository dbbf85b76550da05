//! A libtlsrpt loaded from a file: this library or the C library.

use std::{
    error::Error,
    ffi::{CString, c_char, c_int, c_void},
    os::unix::ffi::OsStrExt,
    path::Path,
};

/// A handle of the library, which owns the object behind it.
pub(crate) type Handle = *mut c_void;
type Text = *const c_char;

/// The functions that an event needs, under the names of `tlsrpt.h`.
pub(crate) struct Library {
    pub(crate) open: unsafe extern "C" fn(*mut Handle, Text) -> c_int,
    pub(crate) close: unsafe extern "C" fn(*mut Handle) -> c_int,
    pub(crate) init_delivery_request: unsafe extern "C" fn(*mut Handle, Handle, Text, Text) -> c_int,
    pub(crate) cancel_delivery_request: unsafe extern "C" fn(*mut Handle) -> c_int,
    pub(crate) finish_delivery_request: unsafe extern "C" fn(*mut Handle) -> c_int,
    pub(crate) init_policy: unsafe extern "C" fn(Handle, c_int, Text) -> c_int,
    pub(crate) finish_policy: unsafe extern "C" fn(Handle, c_int) -> c_int,
    pub(crate) add_policy_string: unsafe extern "C" fn(Handle, Text) -> c_int,
    pub(crate) add_mx_host_pattern: unsafe extern "C" fn(Handle, Text) -> c_int,
    pub(crate) add_failure: unsafe extern "C" fn(Handle, c_int, Text, Text, Text, Text, Text, Text) -> c_int,
    pub(crate) set_malloc_and_free: unsafe extern "C" fn(
        Option<unsafe extern "C" fn(usize) -> *mut c_void>,
        Option<unsafe extern "C" fn(*mut c_void)>,
    ),
    pub(crate) set_blocking: unsafe extern "C" fn(),
    pub(crate) set_nonblocking: unsafe extern "C" fn(),
    _file: libloading::Library,
}

impl Library {
    /// Loads the file at `path`.
    pub(crate) fn load(path: &Path) -> Result<Self, Box<dyn Error>> {
        // SAFETY: neither library runs code when it is loaded, and the types of the functions are those of tlsrpt.h.
        unsafe {
            let file = libloading::Library::new(path)?;
            Ok(Self {
                open: *file.get(b"tlsrpt_open\0")?,
                close: *file.get(b"tlsrpt_close\0")?,
                init_delivery_request: *file.get(b"tlsrpt_init_delivery_request\0")?,
                cancel_delivery_request: *file.get(b"tlsrpt_cancel_delivery_request\0")?,
                finish_delivery_request: *file.get(b"tlsrpt_finish_delivery_request\0")?,
                init_policy: *file.get(b"tlsrpt_init_policy\0")?,
                finish_policy: *file.get(b"tlsrpt_finish_policy\0")?,
                add_policy_string: *file.get(b"tlsrpt_add_policy_string\0")?,
                add_mx_host_pattern: *file.get(b"tlsrpt_add_mx_host_pattern\0")?,
                add_failure: *file.get(b"tlsrpt_add_delivery_request_failure\0")?,
                set_malloc_and_free: *file.get(b"tlsrpt_set_malloc_and_free\0")?,
                set_blocking: *file.get(b"tlsrpt_set_blocking\0")?,
                set_nonblocking: *file.get(b"tlsrpt_set_nonblocking\0")?,
                _file: file,
            })
        }
    }

    /// A connection to the collector at `socket`, to be closed by the caller.
    pub(crate) fn connect(&self, socket: &Path) -> Handle {
        let name = CString::new(socket.as_os_str().as_bytes()).expect("a path without NUL");
        let mut connection = std::ptr::null_mut();
        // SAFETY: a variable and a string of ours.
        let code = unsafe { (self.open)(&mut connection, name.as_ptr()) };
        assert_eq!(code, 0, "tlsrpt_open");
        connection
    }

    /// Closes a connection from [`connect`](Self::connect).
    pub(crate) fn disconnect(&self, mut connection: Handle) {
        // SAFETY: a handle that is open and not used again.
        let code = unsafe { (self.close)(&mut connection) };
        assert_eq!(code, 0, "tlsrpt_close");
    }
}
