//! The open database.

use std::{
    fs,
    path::{Path, PathBuf},
};

use nix::fcntl::Flock;
use rusqlite::Connection;

use super::{adding, destinations::PerDestination, format::FORMAT, texts::Texts, upkeep};
use crate::{
    Added, Batch, Error, KeptDays, Options, Purged, Reader, Store,
    file::{self, Identity},
};

/// A store in a file.
#[derive(Debug)]
pub(crate) struct Sqlite {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
    file: Identity,
    pub(super) options: Options,
    texts: Texts,
    pub(super) destinations: PerDestination,
    /// Held by the one reporter.
    pub(super) reporter: Option<Flock<fs::File>>,
}

impl Sqlite {
    /// Opens the file to write. Creates it if there is none; its directory must exist.
    ///
    /// # Errors
    ///
    /// See [`crate::open`].
    pub(crate) fn open(path: &Path, options: Options) -> Result<Self, Error> {
        let connection = file::open(path, &FORMAT, options.synchronous)?;
        Ok(Self {
            connection,
            path: path.into(),
            file: Identity::at(path, &FORMAT)?,
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
        let file = Identity::at(path, &FORMAT)?;
        let connection = file::open_read_only(path, &FORMAT)?;
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
        FORMAT.failure(&self.path, error)
    }
}

impl Store for Sqlite {
    fn add(&mut self, batch: &Batch) -> Result<Added, Error> {
        self.file.check(&self.path, &FORMAT)?;
        adding::add(&mut self.connection, &mut self.texts, &self.options.limits, batch).map_err(|error| {
            self.texts.forget();
            FORMAT.failure(&self.path, &error)
        })
    }

    fn purge(&mut self, kept: KeptDays) -> Result<Purged, Error> {
        let days = self.days()?;
        if !kept.are_plausible(days.iter().map(|counts| counts.day)) {
            return Ok(Purged::default());
        }
        self.texts.forget();
        upkeep::purge(&mut self.connection, kept.first).map_err(|error| FORMAT.failure(&self.path, &error))
    }
}
