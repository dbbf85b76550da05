//! A new store in a file.

use std::path::PathBuf;

use tempfile::TempDir;
use tlsrpt_store::{
    Limits, Options, Reader, ReceivedStore, ReportStore, Store, Synchronous, Url, open, open_reader, open_received,
    open_reports,
};

pub(crate) struct Place {
    pub(crate) directory: TempDir,
    pub(crate) url: Url,
}

impl Place {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = Url::Sqlite(directory.path().join("tlsrpt.db"));
        Self { directory, url }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("tlsrpt.db")
    }

    pub(crate) fn open(&self) -> Box<dyn Store> {
        open(&self.url, Options::default()).unwrap()
    }

    pub(crate) fn open_with(&self, limits: Limits) -> Box<dyn Store> {
        open(&self.url, Options { limits, ..Options::default() }).unwrap()
    }

    /// For a store that is there.
    pub(crate) fn reader(&self) -> Box<dyn Reader> {
        open_reader(&self.url).unwrap()
    }

    pub(crate) fn reports(&self) -> Box<dyn ReportStore> {
        open_reports(&self.url, Synchronous::Full).unwrap()
    }

    pub(crate) fn received(&self) -> Box<dyn ReceivedStore> {
        open_received(&self.url, Options::default()).unwrap()
    }

    /// The number that a query gives.
    pub(crate) fn number(&self, query: &str) -> i64 {
        let connection = rusqlite::Connection::open(self.path()).unwrap();
        connection.query_row(query, [], |row| row.get(0)).unwrap()
    }
}
