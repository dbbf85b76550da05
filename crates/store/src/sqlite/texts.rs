//! The numbers of domains, records, policies and failures, each of which the store has once.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use rusqlite::{OptionalExtension, Transaction, params};

use crate::hash::{Hash, hash};

/// The most numbers in memory, about 4 MiB. When there are more, all are forgotten; those in use are soon read again.
const MOST: usize = 1 << 16;

/// The kind of a text, which selects its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Domain,
    Record,
    Policy,
    Failure,
}

/// The result of the search for a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    kind: Kind,
    hash: Hash,
    /// Its number, if the store has it.
    pub(super) id: Option<i64>,
}

/// The numbers of texts in earlier batches, so that a usual event needs no search in the database.
#[derive(Debug, Default)]
pub(super) struct Texts {
    /// The keys are cryptographic hashes, so that the hash of the table can be a fast one.
    ids: HashMap<(Kind, Hash), i64, RandomState>,
    /// SQLite changes it when another connection writes.
    data_version: i64,
}

impl Texts {
    /// Must be called first in each transaction. Forgets the numbers if another process has changed the database,
    /// because it may have removed a text.
    pub(super) fn begin(&mut self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let version = transaction.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?;
        if version != self.data_version || self.ids.len() >= MOST {
            self.forget();
        }
        self.data_version = version;
        Ok(())
    }

    /// Must be called when a transaction failed or texts were removed.
    pub(super) fn forget(&mut self) {
        self.ids = HashMap::default();
    }

    /// Searches a text.
    pub(super) fn find(&mut self, transaction: &Transaction<'_>, kind: Kind, text: &str) -> rusqlite::Result<Found> {
        let hash = hash(text);
        let mut id = self.ids.get(&(kind, hash)).copied();
        if id.is_none() {
            id = kind.select(transaction, hash, text)?;
            self.ids.extend(id.map(|id| ((kind, hash), id)));
        }
        Ok(Found { kind, hash, id })
    }

    /// The number of the text of a search result. Adds the text if the store does not have it.
    pub(super) fn number_of(
        &mut self,
        transaction: &Transaction<'_>,
        Found { kind, hash, id }: Found,
        text: &str,
    ) -> rusqlite::Result<i64> {
        if let Some(id) = id {
            return Ok(id);
        }
        let id = kind.insert(transaction, hash, text)?;
        self.ids.insert((kind, hash), id);
        Ok(id)
    }
}

impl Kind {
    fn select(self, transaction: &Transaction<'_>, hash: Hash, text: &str) -> rusqlite::Result<Option<i64>> {
        let query = match self {
            Self::Domain => "SELECT id FROM domain WHERE name = ?1",
            Self::Record => "SELECT id FROM record WHERE hash = ?1",
            Self::Policy => "SELECT id FROM policy WHERE hash = ?1",
            Self::Failure => "SELECT id FROM failure WHERE hash = ?1",
        };
        let mut statement = transaction.prepare_cached(query)?;
        match self {
            Self::Domain => statement.query_row([text], |row| row.get(0)),
            _ => statement.query_row([hash], |row| row.get(0)),
        }
        .optional()
    }

    fn insert(self, transaction: &Transaction<'_>, hash: Hash, text: &str) -> rusqlite::Result<i64> {
        let statement = match self {
            Self::Domain => return transaction.prepare_cached("INSERT INTO domain (name) VALUES (?1)")?.insert([text]),
            Self::Record => "INSERT INTO record (hash, content) VALUES (?1, ?2)",
            Self::Policy => "INSERT INTO policy (hash, content) VALUES (?1, ?2)",
            Self::Failure => "INSERT INTO failure (hash, content) VALUES (?1, ?2)",
        };
        transaction.prepare_cached(statement)?.insert(params![hash, text])
    }
}
