//! The version of the library, which is also the level of the C interface that it provides.
//!
//! `Cargo.toml` is the only place where it is written; the headers, `libtlsrpt.pc` and the manual take it from there.

#[cfg(feature = "capi")]
use core::ffi::CStr;
use core::ffi::c_int;

/// The whole version, for instance `0.5.1`.
pub const STRING: &str = env!("CARGO_PKG_VERSION");
/// Changes with an incompatible interface.
pub const MAJOR: c_int = number(env!("CARGO_PKG_VERSION_MAJOR"));
/// Changes with an extended interface.
pub const MINOR: c_int = number(env!("CARGO_PKG_VERSION_MINOR"));
/// Changes with each release that leaves the interface as it is.
pub const PATCH: c_int = number(env!("CARGO_PKG_VERSION_PATCH"));
/// The prerelease part, for instance `rc2`; empty for a release.
pub const PRERELEASE: &str = env!("CARGO_PKG_VERSION_PRE");

/// [`STRING`] for C.
#[cfg(feature = "capi")]
pub(crate) const C_STRING: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes())
{
    Ok(string) => string,
    Err(_) => panic!("the version holds a NUL"),
};

/// Whether a program that was built for `major.minor` of the interface can use this library: the same major number, and
/// a minor number that is not above ours. The patch number does not matter.
#[must_use]
pub const fn serves(major: c_int, minor: c_int) -> bool {
    major == MAJOR && minor <= MINOR
}

const fn number(digits: &str) -> c_int {
    match c_int::from_str_radix(digits, 10) {
        Ok(number) => number,
        Err(_) => panic!("a part of the version is not a number"),
    }
}

#[cfg(test)]
mod tests {
    use super::{MAJOR, MINOR, serves};

    #[test]
    fn serves_programs_of_the_same_major_and_no_later_minor() {
        assert!(serves(MAJOR, MINOR));
        assert!(serves(MAJOR, 0));
        assert!(!serves(MAJOR, MINOR + 1));
        assert!(!serves(MAJOR + 1, 0));
        assert!(!serves(MAJOR - 1, MINOR));
    }
}
