//! The 19 functions of one library: ours, linked into this program, or any other that is loaded from its file.

use std::{
    ffi::{c_char, c_int, c_void},
    mem,
    path::{Path, PathBuf},
    process::Command,
};

pub use tlsrpt::capi::types::{ConnectionHandle, DeliveryRequestHandle};
use tlsrpt::capi::{connection, delivery_request, errors, policy, settings, version};

pub type Malloc = unsafe extern "C" fn(usize) -> *mut c_void;
pub type Free = unsafe extern "C" fn(*mut c_void);
type Text = *const c_char;

macro_rules! functions {
    ($($name:ident: $ours:path as $type:ty;)+) => {
        /// One library. Each field is the function of that name with `tlsrpt_` before it.
        #[derive(Clone, Copy)]
        pub struct Library {
            $(pub $name: $type,)+
        }

        impl Library {
            /// Our library.
            pub fn ours() -> Self {
                Self { $($name: $ours,)+ }
            }

            /// The library in a file. It stays loaded.
            pub fn load(file: &Path) -> Self {
                // SAFETY: a library whose initialization is that of any C library: none of its own.
                let library = unsafe { libloading::Library::new(file) };
                let library = library.unwrap_or_else(|error| panic!("{error}"));
                // SAFETY: the symbols are functions of these types, as tlsrpt.h has them, and are never unloaded.
                let functions = unsafe {
                    Self { $($name: {
                        let symbol = concat!("tlsrpt_", stringify!($name));
                        *library.get::<$type>(symbol.as_bytes()).unwrap_or_else(|error| panic!("{error}"))
                    },)+ }
                };
                mem::forget(library);
                functions
            }

            /// Where the functions are.
            pub fn addresses(&self) -> Vec<usize> {
                vec![$(self.$name as usize,)+]
            }
        }
    };
}

functions! {
    version_check: version::tlsrpt_version_check as extern "C" fn(c_int, c_int, c_int) -> c_int;
    version: version::tlsrpt_version as extern "C" fn() -> Text;
    open: connection::tlsrpt_open as unsafe extern "C" fn(*mut *mut ConnectionHandle, Text) -> c_int;
    close: connection::tlsrpt_close as unsafe extern "C" fn(*mut *mut ConnectionHandle) -> c_int;
    get_socket: connection::tlsrpt_get_socket as unsafe extern "C" fn(*mut ConnectionHandle) -> c_int;
    init_delivery_request: delivery_request::tlsrpt_init_delivery_request as
        unsafe extern "C" fn(*mut *mut DeliveryRequestHandle, *mut ConnectionHandle, Text, Text) -> c_int;
    cancel_delivery_request: delivery_request::tlsrpt_cancel_delivery_request as
        unsafe extern "C" fn(*mut *mut DeliveryRequestHandle) -> c_int;
    finish_delivery_request: delivery_request::tlsrpt_finish_delivery_request as
        unsafe extern "C" fn(*mut *mut DeliveryRequestHandle) -> c_int;
    init_policy: policy::tlsrpt_init_policy as unsafe extern "C" fn(*mut DeliveryRequestHandle, c_int, Text) -> c_int;
    finish_policy: policy::tlsrpt_finish_policy as unsafe extern "C" fn(*mut DeliveryRequestHandle, c_int) -> c_int;
    add_policy_string: policy::tlsrpt_add_policy_string as
        unsafe extern "C" fn(*mut DeliveryRequestHandle, Text) -> c_int;
    add_mx_host_pattern: policy::tlsrpt_add_mx_host_pattern as
        unsafe extern "C" fn(*mut DeliveryRequestHandle, Text) -> c_int;
    add_delivery_request_failure: policy::tlsrpt_add_delivery_request_failure as
        unsafe extern "C" fn(*mut DeliveryRequestHandle, c_int, Text, Text, Text, Text, Text, Text) -> c_int;
    errno_from_error_code: errors::tlsrpt_errno_from_error_code as extern "C" fn(c_int) -> c_int;
    error_code_is_internal: errors::tlsrpt_error_code_is_internal as extern "C" fn(c_int) -> c_int;
    strerror: errors::tlsrpt_strerror as extern "C" fn(c_int) -> Text;
    set_blocking: settings::tlsrpt_set_blocking as extern "C" fn();
    set_nonblocking: settings::tlsrpt_set_nonblocking as extern "C" fn();
    set_malloc_and_free: settings::tlsrpt_set_malloc_and_free as unsafe extern "C" fn(Option<Malloc>, Option<Free>);
}

/// The file of Debian's build of the C library, which tests/reference/fetch.sh fetches.
pub fn reference() -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/reference/fetch.sh");
    let answer = Command::new("sh").arg(&script).output().unwrap_or_else(|error| panic!("sh: {error}"));
    assert!(answer.status.success(), "{}: {}", script.display(), String::from_utf8_lossy(&answer.stderr));
    let folder = String::from_utf8(answer.stdout).expect("a path");
    let libraries = Path::new(folder.trim()).join("usr/lib");
    let entries = libraries.read_dir().unwrap_or_else(|error| panic!("{}: {error}", libraries.display()));
    let files = entries.map(|entry| entry.expect("an entry").path().join("libtlsrpt.so.0"));
    files.into_iter().find(|file| file.exists()).expect("the package holds libtlsrpt.so.0")
}
