//! A site: a database, and a host with a reporter.

use std::sync::{
    OnceLock,
    atomic::{AtomicU32, Ordering},
};

use jiff::civil::Date;
use tlsrpt_format::datagram;
use tlsrpt_store::{Batch, BatchId, CountedEvent, Limits, SharedStore, Synchronous, Url, open_reports, open_shared};

use crate::{
    host::Host,
    server::{PASSWORDS, Server},
};

pub(crate) fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let access = "local all all scram-sha-256\nhost all all 127.0.0.1/32 scram-sha-256";
        let server = Server::start("max_connections = 200", access);
        server.create_roles();
        server.write_passwords(PASSWORDS);
        server
    })
}

/// A database with a store.
pub(crate) struct Site {
    pub(crate) database: String,
}

impl Site {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let database = format!("site{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        server().create_database(&database);
        let site = Self { database };
        let url = Url::Postgresql(Box::new(site.url("tlsrpt_reporter").parse().unwrap()));
        drop(open_reports(&url, Synchronous::Full).unwrap());
        site
    }

    pub(crate) fn url(&self, role: &str) -> String {
        server().url(role, &self.database)
    }

    pub(crate) fn sql(&self, statements: &str) -> String {
        server().sql(&self.database, statements)
    }

    /// A host whose services use the database with this URL, and send report mails to this port.
    pub(crate) fn host(url: &str, port: u16) -> Host {
        let host = Host::new(port, "");
        host.change(&format!("sqlite:{}", host.file("db").display()), url);
        host
    }

    pub(crate) fn collector(&self) -> Box<dyn SharedStore> {
        open_shared(&self.url("tlsrpt_collector").parse().unwrap(), Limits::default()).unwrap()
    }

    /// Adds an event of each domain, which wants reports at itself.
    pub(crate) fn add(&self, number: u64, day: Date, domains: &[String]) {
        let event = |domain: &String| {
            let text = format!(
                "{{\"d\":\"{domain}\",\"pr\":\"v=TLSRPTv1;rua=mailto:r@{domain}\",\"policies\":[{{\"policy-type\":9,\"f\":1}}]}}"
            );
            CountedEvent { event: datagram::parse(text.as_bytes()).unwrap(), times: 1 }
        };
        let batch = Batch {
            id: BatchId { writer: "test".into(), number },
            day,
            last_event: None,
            events: domains.iter().map(event).collect(),
            invalid: vec![],
            dropped: 0,
        };
        self.collector().add(&batch).unwrap();
    }
}
