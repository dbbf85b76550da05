//! The schema, and its migrations.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::format::Format;
use crate::{Error, ErrorKind};

/// The version of the schema of a database. 0 if it has no schema.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<usize> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok(usize::try_from(version).unwrap_or(usize::MAX))
}

impl Format {
    /// Refuses a database that a later version of the program made, and one of another program.
    pub(super) fn check(&self, connection: &Connection, path: &Path) -> Result<(), Error> {
        let failed = |error| self.failure(path, &error);
        let version = version(connection).map_err(failed)?;
        let application: i32 =
            connection.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(failed)?;
        let tables: i64 =
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
        if application != self.application && tables > 0 {
            let (path, key) = (path.display(), self.key);
            let text = format!("{path}: a database of another program; name another file as {key}");
            return Err(Error::new(ErrorKind::Unreachable, text));
        }
        if version > self.migrations.len() {
            let text = format!(
                "{}: a later version of tlsrpt made this {} (schema {version}; this version knows {}); run that version",
                path.display(),
                self.name,
                self.migrations.len()
            );
            return Err(Error::new(ErrorKind::Newer, text));
        }
        Ok(())
    }

    /// The same for a reader, which cannot migrate: also refuses a database of an earlier version.
    pub(super) fn check_for_reading(&self, connection: &Connection, path: &Path) -> Result<(), Error> {
        self.check(connection, path)?;
        let version = version(connection).map_err(|error| self.failure(path, &error))?;
        if version < self.migrations.len() {
            let text = format!(
                "{}: an earlier version of tlsrpt made this {} (schema {version}; this version reads {}); \
                 restart tlsrpt collect, which brings it up to date",
                path.display(),
                self.name,
                self.migrations.len()
            );
            return Err(Error::new(ErrorKind::Older, text));
        }
        Ok(())
    }

    /// Migrates the database to the latest schema in one transaction. Several processes may do this at the same time.
    pub(super) fn migrate(&self, connection: &mut Connection, path: &Path) -> Result<(), Error> {
        let migrate = |connection: &mut Connection| {
            if version(connection)? == self.migrations.len() {
                return Ok(());
            }
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for migration in self.migrations.iter().skip(version(&transaction)?) {
                transaction.execute_batch(migration)?;
            }
            transaction.pragma_update(None, "application_id", self.application)?;
            transaction.pragma_update(
                None,
                "user_version",
                i64::try_from(self.migrations.len()).unwrap_or(i64::MAX),
            )?;
            transaction.commit()
        };
        migrate(connection).map_err(|error| self.failure(path, &error))
    }
}
