//! The errors of a store.

use std::fmt;

use tlsrpt_format::without_error_numbers;

/// The kinds of errors that callers distinguish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// There is no store yet, or it was removed.
    Missing,
    /// Another process holds a lock.
    Locked,
    /// No space is left.
    Full,
    /// It cannot be written.
    ReadOnly,
    /// No permission, or the path leads to another file.
    Unreachable,
    /// The role of the connection adds counts and may not read them.
    AddsOnly,
    /// The file is not a store, or is damaged.
    Corrupt,
    /// A later version of this program made it.
    Newer,
    /// An older version of this program made it, and it was opened only to read. The collector migrates it.
    Older,
    /// Anything else.
    Other,
}

/// An error of a store. Its text names the store, the fact, and the remedy if one is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    text: String,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, text: impl Into<String>) -> Self {
        Self { kind, text: without_error_numbers(&text.into()) }
    }

    /// The kind of the error.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

impl std::error::Error for Error {}
