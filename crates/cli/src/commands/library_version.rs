//! `tlsrpt library-version FILE`: calls `tlsrpt_version` of a shared libtlsrpt, and tells by its functions who made it.
//! `tlsrpt check` runs it as a separate process, so that a file that does not load or crashes does not end the check.

use std::{
    ffi::{CStr, c_char, c_void},
    io::Write,
    path::PathBuf,
};

use tlsrpt_check::{Maker, SEPARATOR};

use crate::{failure::Failure, output};

/// Prints the version of a libtlsrpt file, and who made it.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    library: PathBuf,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let (version, maker) = ask(&arguments).map_err(|error| Failure::Failed(error.to_string()))?;
    let mut out = output::for_scripts();
    writeln!(out, "{version}{SEPARATOR}{}", maker.word())?;
    Ok(out.flush()?)
}

/// The text for a library without `tlsrpt_version`.
const WITHOUT_VERSION: &str = "0.5.0rc1 or earlier";

/// A function that the library in C exports, though its header does not declare it. The one of this project has no other functions
/// than the header.
const FUNCTION_OF_C: &[u8] = b"tlsrpt_json_escape_values\0";

/// Calls the library, because no file name and no symbol contains the whole version.
#[expect(unsafe_code, reason = "loads a shared library and calls a function in it")]
fn ask(arguments: &Arguments) -> Result<(String, Maker), libloading::Error> {
    // SAFETY: loading runs the initializers of the file, which must be sound. It is the file that Postfix, started by
    // root, loads too.
    let library = unsafe { libloading::Library::new(&arguments.library) }?;
    // SAFETY: the type must match the symbol. The address is not used; the lookup only shows whether this is a
    // libtlsrpt.
    unsafe { library.get::<*const c_void>(b"tlsrpt_open\0") }?;
    // SAFETY: the type must match the symbol. `tlsrpt_version` of libtlsrpt has this type (tlsrpt_version(3)).
    let Ok(version) = (unsafe { library.get::<extern "C" fn() -> *const c_char>(b"tlsrpt_version\0") }) else {
        return Ok((WITHOUT_VERSION.into(), Maker::Candidate));
    };
    // SAFETY: as for `tlsrpt_open`.
    let is_original = unsafe { library.get::<*const c_void>(FUNCTION_OF_C) }.is_ok();
    let maker = if is_original { Maker::Original } else { Maker::ThisProject };
    // SAFETY: the pointer must be a valid C string while it is read. The function returns a static string, and the
    // library stays loaded until the string is copied.
    let version = unsafe { CStr::from_ptr(version()) }.to_string_lossy().into_owned();
    Ok((version, maker))
}
