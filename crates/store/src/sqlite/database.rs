//! The open database.

use std::{
    fs::{self, Metadata},
    io,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use nix::fcntl::Flock;
use rusqlite::{Connection, OpenFlags};

use super::{adding, destinations::PerDestination, failure, schema, texts::Texts, upkeep};
use crate::{Added, Batch, Error, ErrorKind, KeptDays, Options, Purged, Reader, Store, Synchronous};

/// The longest wait for another process that writes: a database tool of the operator, or a second collector.
const PATIENCE: Duration = Duration::from_secs(1);

/// The most statements that stay compiled. This program has fewer.
const STATEMENTS: usize = 32;

/// The most memory for pages of the file, in KiB.
const CACHE: i64 = 4096;

/// A store in a file.
#[derive(Debug)]
pub(crate) struct Sqlite {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
    file: Identity,
    options: Options,
    texts: Texts,
    pub(super) destinations: PerDestination,
    /// Held by the one reporter.
    pub(super) reporter: Option<Flock<fs::File>>,
}

/// Identifies a file independently of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }

    fn at(path: &Path) -> Result<Self, Error> {
        fs::metadata(path).map(|metadata| Self::of(&metadata)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::new(
                ErrorKind::Missing,
                format!("{}: there is no store; tlsrpt collect creates it", path.display()),
            ),
            _ => Error::new(ErrorKind::Unreachable, format!("{}: {error}", path.display())),
        })
    }
}

impl Sqlite {
    /// Opens the file to write. Creates it if there is none; its directory must exist.
    ///
    /// # Errors
    ///
    /// See [`crate::open`].
    pub(crate) fn open(path: &Path, options: Options) -> Result<Self, Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let failed = |error| failure::of_sqlite(path, &error);
        make_file(path);
        let mut connection = Connection::open_with_flags(path, flags).map_err(failed)?;
        connection.busy_timeout(PATIENCE).map_err(failed)?;
        schema::check(&connection, path)?;
        set_up(&connection, options.synchronous).map_err(failed)?;
        schema::migrate(&mut connection, path)?;
        Ok(Self {
            connection,
            path: path.into(),
            file: Identity::at(path)?,
            options,
            texts: Texts::default(),
            destinations: PerDestination::default(),
            reporter: None,
        })
    }

    /// Opens the file to read.
    ///
    /// # Errors
    ///
    /// See [`crate::open_reader`].
    pub(crate) fn open_read_only(path: &Path) -> Result<Self, Error> {
        let file = Identity::at(path)?;
        let connection = match connect_read_only(path) {
            // If the collector does not run, the file with the shared memory of readers and writers does not exist. A
            // user with read permission only cannot create it, and does not need it, because no process writes.
            Err(error) if error.kind() == ErrorKind::Unreachable && nobody_writes(path) => connect_immutable(path)?,
            connected => connected?,
        };
        schema::check_for_reading(&connection, path)?;
        Ok(Self {
            connection,
            path: path.into(),
            file,
            options: Options::default(),
            texts: Texts::default(),
            destinations: PerDestination::default(),
            reporter: None,
        })
    }

    pub(super) fn failed(&self, error: &rusqlite::Error) -> Error {
        failure::of_sqlite(&self.path, error)
    }

    /// Fails if the file was removed or replaced: data that is written to it would be lost.
    fn check_that_it_is_still_there(&self) -> Result<(), Error> {
        if Identity::at(&self.path)? == self.file {
            return Ok(());
        }
        let text = format!("{}: another file has taken the place of the store", self.path.display());
        Err(Error::new(ErrorKind::Missing, text))
    }
}

impl Store for Sqlite {
    fn add(&mut self, batch: &Batch) -> Result<Added, Error> {
        self.check_that_it_is_still_there()?;
        adding::add(&mut self.connection, &mut self.texts, &self.options.limits, batch).map_err(|error| {
            self.texts.forget();
            failure::of_sqlite(&self.path, &error)
        })
    }

    fn purge(&mut self, kept: KeptDays) -> Result<Purged, Error> {
        let days = self.days()?;
        if !kept.are_plausible(days.iter().map(|counts| counts.day)) {
            return Ok(Purged::default());
        }
        self.texts.forget();
        upkeep::purge(&mut self.connection, kept.first).map_err(|error| failure::of_sqlite(&self.path, &error))
    }
}

/// Creates the file with permissions for this user and the group only, because it shows with whom mail is exchanged.
/// SQLite reports the error if this fails.
fn make_file(path: &Path) {
    let _ = fs::OpenOptions::new().append(true).create(true).mode(0o640).open(path);
}

fn set_up(connection: &Connection, synchronous: Synchronous) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", if synchronous == Synchronous::Full { "full" } else { "normal" })?;
    connection.pragma_update(None, "cache_size", -CACHE)?;
    connection.pragma_update(None, "foreign_keys", true)
}

fn connect_read_only(path: &Path) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connect = || {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(PATIENCE)?;
        // The first access to the file: SQLite reports an error of opening only here.
        schema::version(&connection)?;
        Ok(connection)
    };
    connect().map_err(|error| failure::of_sqlite(path, &error))
}

fn nobody_writes(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    !Path::new(&log).exists()
}

fn connect_immutable(path: &Path) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => uri.push(char::from(*byte)),
            other => uri.push_str(&format!("%{other:02x}")),
        }
    }
    uri.push_str("?immutable=1");
    Connection::open_with_flags(uri, flags).map_err(|error| failure::of_sqlite(path, &error))
}
