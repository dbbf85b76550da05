//! Opens the file.

use std::{fs, os::unix::fs::OpenOptionsExt, path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags};

use super::{format::Format, schema};
use crate::{Error, ErrorKind, Synchronous};

/// The longest wait for another process that writes: a database tool of the operator, or a second collector.
const PATIENCE: Duration = Duration::from_secs(1);

/// The most statements that stay compiled. This program has fewer.
const STATEMENTS: usize = 32;

/// The most memory for pages of the file, in KiB.
const CACHE: i64 = 4096;

/// Opens the file to write, and migrates it. Creates it if there is none; its directory must exist.
///
/// # Errors
///
/// [`ErrorKind::Newer`] if a later version of the program made it; other kinds as their documentation says.
pub(crate) fn open(path: &Path, format: &Format, synchronous: Synchronous) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let failed = |error| format.failure(path, &error);
    make_file(path);
    let mut connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(PATIENCE).map_err(failed)?;
    format.check(&connection, path)?;
    set_up(&connection, format, synchronous).map_err(failed)?;
    format.migrate(&mut connection, path)?;
    Ok(connection)
}

/// Opens the file to read.
///
/// # Errors
///
/// [`ErrorKind::Older`] if the program that writes to it must migrate it first; other kinds as their documentation says.
pub(crate) fn open_read_only(path: &Path, format: &Format) -> Result<Connection, Error> {
    let connection = match connect_read_only(path, format) {
        // If the collector does not run, the file with the shared memory of readers and writers does not exist. A user
        // with read permission only cannot create it, and does not need it, because no process writes.
        Err(error) if error.kind() == ErrorKind::Unreachable && nobody_writes(path) => connect_immutable(path, format)?,
        connected => connected?,
    };
    format.check_for_reading(&connection, path)?;
    Ok(connection)
}

/// Creates the file for this user and the group only, because it shows with whom mail is exchanged. The umask decides
/// whether the group may write: the reporter may be another user than the collector.
/// SQLite reports the error if this fails.
fn make_file(path: &Path) {
    let _ = fs::OpenOptions::new().append(true).create(true).mode(0o660).open(path);
}

fn set_up(connection: &Connection, format: &Format, synchronous: Synchronous) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    if format.shrinks {
        // It has an effect only in a file without a page.
        connection.pragma_update(None, "auto_vacuum", "incremental")?;
    }
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", if synchronous == Synchronous::Full { "full" } else { "normal" })?;
    connection.pragma_update(None, "cache_size", -CACHE)?;
    connection.pragma_update(None, "foreign_keys", true)
}

fn connect_read_only(path: &Path, format: &Format) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connect = || {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(PATIENCE)?;
        // The first access to the file: SQLite reports an error of opening only here.
        schema::version(&connection)?;
        Ok(connection)
    };
    connect().map_err(|error| format.failure(path, &error))
}

fn nobody_writes(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    !Path::new(&log).exists()
}

fn connect_immutable(path: &Path, format: &Format) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => uri.push(char::from(*byte)),
            other => uri.push_str(&format!("%{other:02x}")),
        }
    }
    uri.push_str("?immutable=1");
    Connection::open_with_flags(uri, flags).map_err(|error| format.failure(path, &error))
}
