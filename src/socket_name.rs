//! The name of the collector's socket, as any of the string and path types of Rust.

use core::ffi::CStr;

/// A name of a local socket: a path, or bytes.
///
/// `str`, `[u8]`, arrays of bytes and [`CStr`] are names, and references to names. With the feature `std`, `Path`,
/// `OsStr` and the owned types `PathBuf`, `OsString`, `CString`, `String` and `Vec<u8>` are names too.
pub trait SocketName {
    /// The bytes of the name, without a NUL at its end.
    fn as_bytes(&self) -> &[u8];
}

impl<T: SocketName + ?Sized> SocketName for &T {
    fn as_bytes(&self) -> &[u8] {
        T::as_bytes(self)
    }
}

impl SocketName for [u8] {
    fn as_bytes(&self) -> &[u8] {
        self
    }
}

impl<const LEN: usize> SocketName for [u8; LEN] {
    fn as_bytes(&self) -> &[u8] {
        self
    }
}

impl SocketName for str {
    fn as_bytes(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl SocketName for CStr {
    fn as_bytes(&self) -> &[u8] {
        self.to_bytes()
    }
}

#[cfg(feature = "std")]
mod of_std {
    use std::{
        ffi::{CString, OsStr, OsString},
        os::unix::ffi::OsStrExt,
        path::{Path, PathBuf},
        string::String,
        vec::Vec,
    };

    use super::SocketName;

    macro_rules! socket_names {
        ($($name:ty, |$value:ident| $bytes:expr;)+) => {
            $(impl SocketName for $name {
                fn as_bytes(&self) -> &[u8] {
                    let $value = self;
                    $bytes
                }
            })+
        };
    }

    socket_names! {
        OsStr, |name| OsStrExt::as_bytes(name);
        OsString, |name| OsStrExt::as_bytes(name.as_os_str());
        Path, |name| OsStrExt::as_bytes(name.as_os_str());
        PathBuf, |name| OsStrExt::as_bytes(name.as_os_str());
        CString, |name| name.to_bytes();
        String, |name| str::as_bytes(name);
        Vec<u8>, |name| name.as_slice();
    }
}
