//! Converts an error of SQLite into an error of the store.

use std::path::Path;

use rusqlite::ErrorCode;

use super::format::Format;
use crate::{Error, ErrorKind};

impl Format {
    /// The error of an operation on the file.
    pub(crate) fn failure(&self, path: &Path, error: &rusqlite::Error) -> Error {
        let (path, name) = (path.display(), self.name);
        let kind = match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => ErrorKind::Locked,
            Some(ErrorCode::DiskFull) => ErrorKind::Full,
            Some(ErrorCode::ReadOnly) => ErrorKind::ReadOnly,
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => ErrorKind::Unreachable,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => ErrorKind::Corrupt,
            _ => ErrorKind::Other,
        };
        let text = match kind {
            ErrorKind::Locked => format!("{path}: locked by another process"),
            ErrorKind::Full => format!("{path}: no space is left for the {name}; {}", self.remedy_if_full),
            ErrorKind::ReadOnly => format!("{path}: the {name} or its directory cannot be written"),
            ErrorKind::Unreachable => {
                format!("{path}: cannot be opened; its directory must exist, and this user must be able to write there")
            }
            ErrorKind::Corrupt => format!("{path}: not a {name}, or a damaged one: {error}"),
            _ => format!("{path}: {error}"),
        };
        Error::new(kind, text)
    }
}
