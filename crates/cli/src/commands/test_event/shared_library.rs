//! Sends an event through a shared libtlsrpt, as a mail server does.

use std::{
    ffi::{CStr, CString, c_char, c_int, c_void},
    io,
    os::unix::ffi::OsStrExt,
    path::Path,
    ptr::null_mut,
};

use libloading::Library;
use tlsrpt_format::{TEST_DOMAIN, TEST_RECORD};

/// `TLSRPT_NO_POLICY_FOUND` and `TLSRPT_FINAL_SUCCESS` of tlsrpt.h.
const NO_POLICY_FOUND: c_int = 9;
const FINAL_SUCCESS: c_int = 0;

type Handle = *mut c_void;
/// A call with the handles of the connection and of the request.
type Step<'s> = &'s dyn Fn(&mut Handle, &mut Handle) -> c_int;

/// A libtlsrpt that is loaded.
pub(super) struct Loaded {
    functions: Functions,
    /// Keeps the functions in memory.
    _library: Library,
}

impl Loaded {
    /// Loads the file.
    #[expect(unsafe_code, reason = "loads a shared library")]
    pub(super) fn load(library: &Path) -> Result<Self, String> {
        // SAFETY: loading runs the initializers of the file, which must be sound. It is the file that the mail server, started by
        // root, loads too.
        let library = unsafe { Library::new(library) }.map_err(|error| error.to_string())?;
        let functions = Functions::of(&library).map_err(|error| error.to_string())?;
        Ok(Self { functions, _library: library })
    }

    /// Sends the test event. The error is that of the library, in words.
    pub(super) fn send(&self, socket: &Path) -> Result<(), String> {
        send(&self.functions, socket)
    }
}

#[expect(unsafe_code, reason = "calls functions of a shared library")]
fn send(functions: &Functions, socket: &Path) -> Result<(), String> {
    let text = |text: &[u8]| CString::new(text).map_err(|error| error.to_string());
    let (socket_name, domain, record) =
        (text(socket.as_os_str().as_bytes())?, text(TEST_DOMAIN.as_bytes())?, text(TEST_RECORD.as_bytes())?);
    let (mut connection, mut request) = (null_mut(), null_mut());
    // SAFETY: the types of the functions are those of tlsrpt.h. Each handle is one that the library made before, or NULL, for which
    // it returns an error; the texts end in NUL and live until the end of this function.
    let code = unsafe {
        let steps: [Step<'_>; 5] = [
            &|connection, _| (functions.open)(connection, socket_name.as_ptr()),
            &|connection, request| {
                (functions.init_delivery_request)(request, *connection, domain.as_ptr(), record.as_ptr())
            },
            &|_, request| (functions.init_policy)(*request, NO_POLICY_FOUND, domain.as_ptr()),
            &|_, request| (functions.finish_policy)(*request, FINAL_SUCCESS),
            &|_, request| (functions.finish_delivery_request)(request),
        ];
        steps.into_iter().map(|step| step(&mut connection, &mut request)).find(|code| *code != 0)
    };
    let Some(code) = code else { return Ok(()) };
    // SAFETY: as above. The text is static.
    let (errno, words) = unsafe {
        let words = CStr::from_ptr((functions.strerror)(code)).to_string_lossy().into_owned();
        ((functions.errno_from_error_code)(code), words)
    };
    Err(match errno {
        0 => format!("{words} (error {code})"),
        errno => tlsrpt_socket::explain(socket, &io::Error::from_raw_os_error(errno)),
    })
}

struct Functions {
    open: unsafe extern "C" fn(*mut Handle, *const c_char) -> c_int,
    init_delivery_request: unsafe extern "C" fn(*mut Handle, Handle, *const c_char, *const c_char) -> c_int,
    init_policy: unsafe extern "C" fn(Handle, c_int, *const c_char) -> c_int,
    finish_policy: unsafe extern "C" fn(Handle, c_int) -> c_int,
    finish_delivery_request: unsafe extern "C" fn(*mut Handle) -> c_int,
    strerror: unsafe extern "C" fn(c_int) -> *const c_char,
    errno_from_error_code: unsafe extern "C" fn(c_int) -> c_int,
}

impl Functions {
    #[expect(unsafe_code, reason = "looks up functions by name")]
    fn of(library: &Library) -> Result<Self, libloading::Error> {
        // SAFETY: each type is that of the function in tlsrpt.h. The caller keeps the library loaded.
        unsafe {
            Ok(Self {
                open: *library.get(b"tlsrpt_open\0")?,
                init_delivery_request: *library.get(b"tlsrpt_init_delivery_request\0")?,
                init_policy: *library.get(b"tlsrpt_init_policy\0")?,
                finish_policy: *library.get(b"tlsrpt_finish_policy\0")?,
                finish_delivery_request: *library.get(b"tlsrpt_finish_delivery_request\0")?,
                strerror: *library.get(b"tlsrpt_strerror\0")?,
                errno_from_error_code: *library.get(b"tlsrpt_errno_from_error_code\0")?,
            })
        }
    }
}
