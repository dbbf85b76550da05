//! The level of the C interface: the version of libtlsrpt whose functions, codes and datagrams this library has.
//!
//! `tlsrpt_version()`, the headers and `libtlsrpt.pc` have this level; it changes only with the interface. The version of
//! this project is another number, in `Cargo.toml`.

#[cfg(feature = "capi")]
use core::ffi::CStr;
use core::ffi::c_int;

/// The whole level. Each part is written here once.
macro_rules! level {
    ($major:literal, $minor:literal, $patch:literal, $prerelease:literal) => {
        /// The whole version, for instance `0.5.1`.
        pub const STRING: &str = concat!($major, ".", $minor, ".", $patch, $prerelease);
        /// Changes with an incompatible interface.
        pub const MAJOR: c_int = $major;
        /// Changes with an extended interface.
        pub const MINOR: c_int = $minor;
        /// Changes with each release that leaves the interface as it is.
        pub const PATCH: c_int = $patch;
        /// The prerelease part, for instance `rc2`; empty for a release.
        pub const PRERELEASE: &str = $prerelease;

        /// [`STRING`] for C.
        #[cfg(feature = "capi")]
        pub(crate) const C_STRING: &CStr =
            match CStr::from_bytes_with_nul(concat!($major, ".", $minor, ".", $patch, $prerelease, "\0").as_bytes()) {
                Ok(string) => string,
                Err(_) => panic!("the version holds a NUL"),
            };
    };
}

level!(0, 5, 1, "");

/// Whether a program that was built for `major.minor` of the interface can use this library: the same major number, and
/// a minor number that is not above ours. The patch number does not matter.
#[must_use]
pub const fn serves(major: c_int, minor: c_int) -> bool {
    major == MAJOR && minor <= MINOR
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
