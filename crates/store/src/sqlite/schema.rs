//! The schema, and its migrations.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::failure::of_sqlite;
use crate::{Error, ErrorKind};

/// Each makes the next version of the schema. The statements of a released migration never change.
const MIGRATIONS: [&str; 2] = [include_str!("schema.sql"), include_str!("schema-2.sql")];

/// The application's number in the database, "TLSR", by which `file(1)` and this program recognize it.
pub(super) const APPLICATION: i32 = 0x544c_5352;

/// The version of the schema of a database. 0 if it has no schema.
pub(crate) fn version(connection: &Connection) -> rusqlite::Result<usize> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok(usize::try_from(version).unwrap_or(usize::MAX))
}

/// Refuses a database that a later version of the program made, and one of another program.
pub(crate) fn check(connection: &Connection, path: &Path) -> Result<(), Error> {
    let failed = |error| of_sqlite(path, &error);
    let version = version(connection).map_err(failed)?;
    let application: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(failed)?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    if application != APPLICATION && tables > 0 {
        let text = format!("{}: a database of another program; name another file as url", path.display());
        return Err(Error::new(ErrorKind::Unreachable, text));
    }
    if version > MIGRATIONS.len() {
        let text = format!(
            "{}: a later version of tlsrpt made this store (schema {version}; this version knows {}); run that version",
            path.display(),
            MIGRATIONS.len()
        );
        return Err(Error::new(ErrorKind::Newer, text));
    }
    Ok(())
}

/// The same for a reader, which cannot migrate: also refuses a database of an earlier version.
pub(crate) fn check_for_reading(connection: &Connection, path: &Path) -> Result<(), Error> {
    check(connection, path)?;
    let version = version(connection).map_err(|error| of_sqlite(path, &error))?;
    if version < MIGRATIONS.len() {
        let text = format!(
            "{}: an earlier version of tlsrpt made this store (schema {version}; this version reads {}); \
             restart tlsrpt collect, which brings it up to date",
            path.display(),
            MIGRATIONS.len()
        );
        return Err(Error::new(ErrorKind::Older, text));
    }
    Ok(())
}

/// Migrates the database to the latest schema in one transaction. Several processes may do this at the same time.
pub(crate) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), Error> {
    let migrate = |connection: &mut Connection| {
        if version(connection)? == MIGRATIONS.len() {
            return Ok(());
        }
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for migration in MIGRATIONS.iter().skip(version(&transaction)?) {
            transaction.execute_batch(migration)?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.pragma_update(None, "user_version", i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX))?;
        transaction.commit()
    };
    migrate(connection).map_err(|error| of_sqlite(path, &error))
}
