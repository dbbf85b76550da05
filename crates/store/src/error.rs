//! Why a store does not do what it is asked.

use std::fmt;

/// The kinds of errors that those who use a store tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// There is no store yet, or it is gone.
    Missing,
    /// Another process holds a lock.
    Locked,
    /// No space is left.
    Full,
    /// It cannot be written.
    ReadOnly,
    /// No permission, or another file in the way.
    Unreachable,
    /// What is there is no store or is damaged.
    Corrupt,
    /// A later version of this program made it.
    Newer,
    /// An older version of this program made it, and it is opened to read only: the collector migrates it.
    Older,
    /// The URL names no store.
    Url,
    /// Anything else.
    Other,
}

/// Why a store does not do what it is asked. Its text names the store, the fact, and the remedy where one is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    text: String,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }

    /// Which kind.
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
