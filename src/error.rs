//! The error codes: one table gives the Rust variants, the constants of `tlsrpt.h`, the texts of `tlsrpt_strerror` and
//! the list in the manual.

#![forbid(unsafe_code)]

use core::{
    ffi::{CStr, c_int},
    fmt,
};

use crate::{errno::Errno, vocabulary::Definition};

/// A code is the number of a block, which is a multiple of this, plus an errno or the number of an internal error.
const BLOCK: c_int = 1000;

macro_rules! error_kinds {
    ($($(#[$hidden:meta])? $kind:ident = $value:literal, $constant:literal, $text:literal;)+) => {
        /// What failed: the block of an error code, or a whole code for an error without an errno.
        ///
        /// The codes that only the C functions return are hidden: no error of the Rust interface has them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(i32)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $($(#[$hidden])? #[doc = concat!("`", $constant, "`: ", $text, ".")] $kind = $value,)+
        }

        impl ErrorKind {
            /// Every code of the C interface in the order of the numbers, for what is generated from the table.
            #[doc(hidden)]
            pub const ALL: &[Self] = &[$(Self::$kind),+];

            /// The constant in C, for what is generated from the table.
            #[doc(hidden)]
            #[must_use]
            pub const fn definition(self) -> Definition {
                match self {
                    $(Self::$kind => Definition { constant: $constant, value: $value, meaning: $text },)+
                }
            }

            /// The text of `tlsrpt_strerror`.
            #[doc(hidden)]
            #[must_use]
            pub const fn text(self) -> &'static CStr {
                match self {
                    $(Self::$kind => const { c_text(concat!($text, "\0")) },)+
                }
            }

            const fn from_base(base: c_int) -> Option<Self> {
                match base {
                    $($value => Some(Self::$kind),)+
                    _ => None,
                }
            }
        }
    };
}

error_kinds! {
    #[doc(hidden)]
    Tlsrpt = 10000, "TLSRPT_ERR_TLSRPT", "error inside the TLSRPT library";
    #[doc(hidden)]
    Cancelled = 10703, "TLSRPT_ERR_TLSRPT_CANCELLED", "the delivery request was cancelled";
    SocketNameTooLong = 10711, "TLSRPT_ERR_TLSRPT_SOCKETNAMETOOLONG", "the socket name is too long for a local socket address";
    UnfinishedPolicy = 10712, "TLSRPT_ERR_TLSRPT_UNFINISHEDPOLICY", "a policy of the delivery request is still open";
    #[doc(hidden)]
    NoConnection = 10713, "TLSRPT_ERR_TLSRPT_NOCONNECTION", "there is no connection";
    #[doc(hidden)]
    NoRequestStream = 10721, "TLSRPT_ERR_TLSRPT_MEMSTREAM_NOT_INITIALIZED", "the delivery request was not initialized";
    #[doc(hidden)]
    NoPolicy = 10722, "TLSRPT_ERR_TLSRPT_MEMSTREAMPS_NOT_INITIALIZED", "no policy is open to take a policy string or to be finished";
    #[doc(hidden)]
    NoPolicyForPattern = 10723, "TLSRPT_ERR_TLSRPT_MEMSTREAMMX_NOT_INITIALIZED", "no policy is open to take an MX host pattern";
    #[doc(hidden)]
    NoPolicyForFailure = 10724, "TLSRPT_ERR_TLSRPT_MEMSTREAMFD_NOT_INITIALIZED", "no policy is open to take a failure";
    NestedPolicy = 10731, "TLSRPT_ERR_TLSRPT_NESTEDPOLICY", "a policy is open already";
    NoPolicies = 10732, "TLSRPT_ERR_TLSRPT_NOPOLICIES", "the delivery request holds no policy";
    #[doc(hidden)]
    NullArgument = 10791, "TLSRPT_ERR_TLSRPT_NULLARGUMENT", "a required argument is NULL";
    Socket = 11000, "TLSRPT_ERR_SOCKET", "cannot create the socket";
    Close = 12000, "TLSRPT_ERR_CLOSE", "cannot close the socket";
    Send = 13000, "TLSRPT_ERR_SENDTO", "cannot send the datagram to the collector";
    #[doc(hidden)]
    OpenStreamForRequest = 21000, "TLSRPT_ERR_OPEN_MEMSTREAM_INITDR", "cannot start the buffer of the delivery request";
    #[doc(hidden)]
    OpenStreamForPolicy = 22000, "TLSRPT_ERR_OPEN_MEMSTREAM_INITPOLICY", "cannot start the buffer of the policy";
    #[doc(hidden)]
    CloseStreamOfPolicy = 28000, "TLSRPT_ERR_FCLOSE_FINISHPOLICY", "cannot complete the buffer of the policy";
    #[doc(hidden)]
    CloseStreamOfRequest = 29000, "TLSRPT_ERR_FCLOSE_FINISHDR", "cannot complete the buffer of the delivery request";
    WriteRequest = 31000, "TLSRPT_ERR_FPRINTF_INITDR", "no memory to begin the delivery request";
    WritePolicy = 32000, "TLSRPT_ERR_FPRINTF_INITPOLICY", "no memory to begin the policy";
    WritePolicyString = 33000, "TLSRPT_ERR_FPRINTF_ADDPOLICYSTRING", "no memory to add the policy string";
    WriteMxHostPattern = 34000, "TLSRPT_ERR_FPRINTF_ADDMXHOSTPATTERN", "no memory to add the MX host pattern";
    FinishPolicy = 35000, "TLSRPT_ERR_FPRINTF_FINISHPOLICY", "no memory to finish the policy";
    WriteFailure = 36000, "TLSRPT_ERR_FPRINTF_ADDFAILURE", "no memory to add the failure";
    FinishRequest = 37000, "TLSRPT_ERR_FPRINTF_FINISHDR", "no memory to finish the delivery request";
    AllocateConnection = 41000, "TLSRPT_ERR_MALLOC_OPENCON", "no memory for the connection";
    AllocateRequest = 42000, "TLSRPT_ERR_MALLOC_OPENDR", "no memory for the delivery request";
}

impl ErrorKind {
    /// The kind that a code of the C interface belongs to; `None` for a code that the library does not define.
    #[doc(hidden)]
    #[must_use]
    pub const fn from_code(code: c_int) -> Option<Self> {
        if is_internal(code) { Self::from_base(code) } else { Self::from_base(block(code)) }
    }
}

/// The error of a call: its kind and, if the system or the allocator reported it, the errno.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Error {
    kind: ErrorKind,
    errno: Option<Errno>,
}

impl Error {
    /// A required string or handle is NULL.
    pub(crate) const NULL_ARGUMENT: Self = Self::internal(ErrorKind::NullArgument);

    /// An error that the library itself found.
    pub(crate) const fn internal(kind: ErrorKind) -> Self {
        Self { kind, errno: None }
    }

    /// An error of the system or of the caller's allocator.
    pub(crate) const fn system(kind: ErrorKind, errno: Errno) -> Self {
        Self { kind, errno: Some(errno) }
    }

    /// What failed.
    #[must_use]
    pub const fn kind(self) -> ErrorKind {
        self.kind
    }

    /// The errno of the system; `None` for an error that the library itself found.
    #[must_use]
    pub const fn errno(self) -> Option<c_int> {
        match self.errno {
            Some(errno) => Some(errno.number()),
            None => None,
        }
    }

    /// The code that the C functions return for this error. Never 0.
    #[must_use]
    pub const fn code(self) -> c_int {
        self.kind as c_int
            + match self.errno {
                Some(errno) => errno.number(),
                None => 0,
            }
    }
}

/// What failed, without the errno.
impl fmt::Display for ErrorKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.definition().meaning)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(out)?;
        match self.errno() {
            Some(errno) => write!(out, " (errno {errno})"),
            None => Ok(()),
        }
    }
}

impl core::error::Error for Error {}

/// The errno in a code; for an internal error, its number within its block.
#[cfg(feature = "capi")]
pub(crate) const fn errno_from_code(code: c_int) -> c_int {
    code % BLOCK
}

/// Whether a code is an error that the library itself found, without an errno.
pub(crate) const fn is_internal(code: c_int) -> bool {
    block(code) == ErrorKind::Tlsrpt as c_int
}

const fn block(code: c_int) -> c_int {
    code - code % BLOCK
}

const fn c_text(text: &'static str) -> &'static CStr {
    match CStr::from_bytes_with_nul(text.as_bytes()) {
        Ok(text) => text,
        Err(_) => panic!("an error text holds a NUL"),
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::{Error, ErrorKind, is_internal};
    use crate::errno::Errno;

    #[test]
    fn a_system_error_is_its_block_plus_errno() {
        let error = Error::system(ErrorKind::Send, Errno::from_number(11, Errno::EIO));
        assert_eq!(error.code(), 13011);
        assert_eq!(error.errno(), Some(11));
        assert_eq!(error.to_string(), "cannot send the datagram to the collector (errno 11)");
        assert_eq!(ErrorKind::from_code(error.code()), Some(ErrorKind::Send));
    }

    #[test]
    fn an_internal_error_is_its_own_code() {
        let error = Error::internal(ErrorKind::NestedPolicy);
        assert_eq!(error.code(), 10731);
        assert_eq!(error.errno(), None);
        assert_eq!(error.to_string(), "a policy is open already");
    }

    #[test]
    fn only_the_first_block_is_internal() {
        assert!(is_internal(10000) && is_internal(10999));
        assert!(!is_internal(9999) && !is_internal(11000) && !is_internal(-10500));
    }

    #[test]
    fn every_kind_is_found_by_its_code() {
        for &kind in ErrorKind::ALL {
            let definition = kind.definition();
            assert_eq!(ErrorKind::from_code(definition.value), Some(kind));
            assert_eq!(kind.text().to_str(), Ok(definition.meaning));
        }
        assert_eq!(ErrorKind::from_code(42012), Some(ErrorKind::AllocateRequest));
        for unknown in [0, -1, 10001, 10799, 14000, 43000, i32::MAX, i32::MIN] {
            assert_eq!(ErrorKind::from_code(unknown), None, "{unknown}");
        }
    }
}
