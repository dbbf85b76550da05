//! `tlsrpt library-version FILE`: asks a shared libtlsrpt for its version. A separate process for `tlsrpt check`,
//! so that a file that does not load or crashes ends no check.

use std::{
    ffi::{CStr, c_char, c_void},
    io::Write,
    path::PathBuf,
};

use crate::{failure::Failure, output};

/// Prints the version of a libtlsrpt file.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    library: PathBuf,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let version = ask(&arguments).map_err(|error| Failure::Failed(error.to_string()))?;
    let mut out = output::for_scripts();
    writeln!(out, "{version}")?;
    Ok(out.flush()?)
}

/// The version of a library without `tlsrpt_version`.
const WITHOUT_VERSION: &str = "0.5.0rc1 or earlier";

/// Only the library itself knows: no file name and no symbol holds the whole version.
#[expect(unsafe_code, reason = "loads a shared library and calls a function in it")]
fn ask(arguments: &Arguments) -> Result<String, libloading::Error> {
    // SAFETY: loading runs the file's initializers. It is the file that Postfix loads as root.
    let library = unsafe { libloading::Library::new(&arguments.library) }?;
    // SAFETY: the address is looked up, and not called: it shows whether this is a libtlsrpt at all.
    unsafe { library.get::<*const c_void>(b"tlsrpt_open\0") }?;
    // SAFETY: the function of this name in libtlsrpt has this type (tlsrpt_version(3)).
    let Ok(version) = (unsafe { library.get::<extern "C" fn() -> *const c_char>(b"tlsrpt_version\0") }) else {
        return Ok(WITHOUT_VERSION.into());
    };
    // SAFETY: it returns a static string, and the library stays loaded until the string is copied.
    Ok(unsafe { CStr::from_ptr(version()) }.to_string_lossy().into_owned())
}
