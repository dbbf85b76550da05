//! A new database in a server that all tests share.

use std::sync::{
    OnceLock,
    atomic::{AtomicU32, Ordering},
};

use tlsrpt_store::{
    Limits, Options, Reader, ReceivedStore, ReportStore, Store, Synchronous, Url, open, open_reader, open_received,
    open_reports,
};

use crate::server::{PASSWORDS, Server};

pub(crate) struct Place {
    pub(crate) database: String,
}

/// The server. Each role needs its password.
pub(crate) fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let server = Server::start("max_connections = 200", "local all all scram-sha-256");
        server.create_roles();
        server.write_passwords(PASSWORDS);
        server
    })
}

impl Place {
    /// A database with a store.
    pub(crate) fn new() -> Self {
        let place = Self::empty();
        drop(place.reports());
        place
    }

    /// A database without a store.
    pub(crate) fn empty() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let database = format!("test{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        server().create_database(&database);
        Self { database }
    }

    pub(crate) fn url(&self, role: &str) -> Url {
        Url::Postgresql(Box::new(server().url(role, &self.database).parse().unwrap()))
    }

    pub(crate) fn open(&self) -> Box<dyn Store> {
        self.open_with(Limits::default())
    }

    pub(crate) fn open_with(&self, limits: Limits) -> Box<dyn Store> {
        Box::new(Both {
            collector: open(&self.url("tlsrpt_collector"), Options { limits, ..Options::default() }).unwrap(),
            reporter: self.reports(),
        })
    }

    pub(crate) fn reader(&self) -> Box<dyn Reader> {
        open_reader(&self.url("tlsrpt_status")).unwrap()
    }

    pub(crate) fn reports(&self) -> Box<dyn ReportStore> {
        open_reports(&self.url("tlsrpt_reporter"), Synchronous::Full).unwrap()
    }

    pub(crate) fn received(&self) -> Box<dyn ReceivedStore> {
        open_received(&self.url("tlsrpt_reporter"), Options::default()).unwrap()
    }

    /// The number that a query gives.
    pub(crate) fn number(&self, query: &str) -> i64 {
        self.sql(query).parse().unwrap()
    }

    pub(crate) fn sql(&self, statements: &str) -> String {
        server().sql(&self.database, statements)
    }
}

/// Adds as the collector, and removes days as the reporter: a collector may not.
struct Both {
    collector: Box<dyn Store>,
    reporter: Box<dyn ReportStore>,
}

impl Store for Both {
    fn add(&mut self, batch: &tlsrpt_store::Batch) -> Result<tlsrpt_store::Added, tlsrpt_store::Error> {
        self.collector.add(batch)
    }

    fn purge(&mut self, kept: tlsrpt_store::KeptDays) -> Result<tlsrpt_store::Purged, tlsrpt_store::Error> {
        self.reporter.purge(kept)
    }
}
