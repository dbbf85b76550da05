//! The errors of this crate.

use std::path::Path;

use tlsrpt_format::printable;

/// Why a migration or an answer to tlsrpt-reportd failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A database of tlsrpt-reporter cannot be read, or must not be.
    #[error("{0}")]
    Source(String),
    /// Our store.
    #[error(transparent)]
    Store(#[from] tlsrpt_store::Error),
    /// The output cannot be written.
    #[error("{0}")]
    Output(#[from] std::io::Error),
    /// The configuration lacks what the reports of another program need.
    #[error("{0}")]
    Settings(String),
    /// Another program or this one would report the same a second time.
    #[error("{0}")]
    Twice(String),
}

impl Error {
    /// The fact about a source, and the remedy.
    pub(crate) fn source(path: &Path, fact: impl std::fmt::Display) -> Self {
        Self::Source(printable(&format!("{}: {fact}", path.display())).to_string())
    }
}
