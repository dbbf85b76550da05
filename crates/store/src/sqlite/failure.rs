//! Converts an error of SQLite into an error of the store.

use std::path::Path;

use rusqlite::ErrorCode;

use crate::{Error, ErrorKind};

pub(crate) fn of_sqlite(path: &Path, error: &rusqlite::Error) -> Error {
    let path = path.display();
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
        ErrorKind::Full => format!("{path}: no space is left for the store; free some space, or lower keep-days"),
        ErrorKind::ReadOnly => format!("{path}: the store or its directory cannot be written"),
        ErrorKind::Unreachable => {
            format!("{path}: cannot be opened; its directory must exist, and this user must be able to write there")
        }
        ErrorKind::Corrupt => format!("{path}: not a store, or a damaged one: {error}"),
        _ => format!("{path}: {error}"),
    };
    Error::new(kind, text)
}
