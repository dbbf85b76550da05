//! The schema, and its migrations.

use tokio_postgres::error::SqlState;

use super::{failure::Failed, link::Link};
use crate::{Error, ErrorKind};

/// Each makes the next version of the schema. The statements of a released migration never change.
const MIGRATIONS: [&str; 3] = [include_str!("schema.sql"), include_str!("received.sql"), include_str!("alert.sql")];

/// Identifies the lock of this program for migrations: "TLSR" in ASCII.
const MIGRATION_LOCK: i64 = 0x544c_5352;

/// Refuses a schema that is not the one of this version.
pub(super) fn check(link: &mut Link) -> Result<(), Failed> {
    let known = MIGRATIONS.len();
    let (kind, text) = match version(link)? {
        version if version == known => return Ok(()),
        0 => (ErrorKind::Missing, "there is no store yet; tlsrpt deliver creates it".to_string()),
        version if version < known => (
            ErrorKind::Older,
            format!(
                "an earlier version of tlsrpt made this store (schema {version}; this version knows {known}); restart \
                 tlsrpt deliver, which brings it up to date"
            ),
        ),
        version => return Err(newer(version)),
    };
    Err(Failed::Here(Error::new(kind, text)))
}

/// Creates the schema, or brings it to the latest version, in one transaction. Several processes may do this at the same
/// time.
pub(super) fn migrate(link: &mut Link) -> Result<(), Failed> {
    let known = MIGRATIONS.len();
    if version(link)? == known {
        return Ok(());
    }
    link.transaction(|link| {
        link.execute("SELECT pg_advisory_xact_lock($1)", &[&MIGRATION_LOCK])?;
        let version = version_in_transaction(link)?;
        if version > known {
            return Err(newer(version));
        }
        if version == known {
            return Ok(());
        }
        if link.row("SELECT 1 FROM pg_namespace WHERE nspname = 'tlsrpt'", &[])?.is_none() {
            link.run("CREATE SCHEMA tlsrpt")?;
        }
        for migration in &MIGRATIONS[version..] {
            link.run(migration)?;
        }
        link.run("DELETE FROM version")?;
        link.execute("INSERT INTO version (version) VALUES ($1)", &[&i32::try_from(known).unwrap_or(i32::MAX)])?;
        Ok(())
    })
}

fn newer(version: usize) -> Failed {
    let known = MIGRATIONS.len();
    let text = format!(
        "a later version of tlsrpt made this store (schema {version}; this version knows {known}); run that version"
    );
    Failed::Here(Error::new(ErrorKind::Newer, text))
}

/// The version of the schema. 0 if there is none.
fn version(link: &mut Link) -> Result<usize, Failed> {
    match link.row("SELECT tlsrpt.schema_version()", &[]) {
        Ok(row) => number(row.as_ref()),
        Err(failed) if is_absent(&failed) => Ok(0),
        Err(failed) => Err(failed),
    }
}

/// The same without an error of the server, which would end the transaction.
fn version_in_transaction(link: &mut Link) -> Result<usize, Failed> {
    let is_there = "SELECT 1 FROM pg_proc JOIN pg_namespace ON pronamespace = pg_namespace.oid \
                    WHERE nspname = 'tlsrpt' AND proname = 'schema_version'";
    match link.row(is_there, &[])? {
        Some(_) => number(link.row("SELECT tlsrpt.schema_version()", &[])?.as_ref()),
        None => Ok(0),
    }
}

fn number(row: Option<&tokio_postgres::Row>) -> Result<usize, Failed> {
    let version = row.and_then(|row| row.get::<_, Option<i32>>(0));
    version.and_then(|version| usize::try_from(version).ok()).ok_or_else(|| Failed::unreadable("version"))
}

fn is_absent(failed: &Failed) -> bool {
    matches!(failed.code(), Some(&SqlState::UNDEFINED_FUNCTION | &SqlState::INVALID_SCHEMA_NAME))
}
