//! A connection to the server. Each call waits for the answer, for a limited time.

use std::{collections::HashMap, fmt, future::Future, time::Duration};

use tokio::{
    runtime::{Builder, Runtime},
    time::timeout,
};
use tokio_postgres::{
    Client, Row, Statement,
    config::{Host, SslMode},
    types::ToSql,
};

use super::{failure::Failed, passwords::password, tls::Tls, url::PostgresqlUrl};
use crate::{Error, ErrorKind};

/// How long each host of the URL may take until this program is logged in, without `connect_timeout`.
const CONNECT: Duration = Duration::from_secs(10);
/// How long it waits where the answer hardly matters.
const MOMENT: Duration = Duration::from_secs(2);
/// When a connection without data is probed, so that a firewall does not forget it and a dead server is found.
const KEEPALIVE: Duration = Duration::from_secs(30);
const KEEPALIVE_RETRIES: u32 = 4;
/// How long sent data may stay unacknowledged.
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);

/// The parameters of a statement.
pub(super) type Parameters<'p> = &'p [&'p (dyn ToSql + Sync)];

/// An open connection.
pub(super) struct Link {
    /// None only while it is dropped.
    runtime: Option<Runtime>,
    client: Client,
    statements: HashMap<String, Statement>,
    /// How long to wait for an answer, usually and now.
    usual_limit: Duration,
    limit: Duration,
    is_broken: bool,
}

impl fmt::Debug for Link {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Link").field("is_broken", &self.is_broken).finish_non_exhaustive()
    }
}

impl Drop for Link {
    /// Without waiting for a lookup of a name that is still under way.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Link {
    /// Connects and logs in.
    pub(super) fn open(url: &PostgresqlUrl) -> Result<Self, Failed> {
        let mut config = url.config.clone();
        if let Some(password) = password(url).map_err(Failed::Here)? {
            config.password(password);
        }
        if config.get_application_name().is_none() {
            config.application_name("tlsrpt");
        }
        if config.get_hosts().iter().all(|host| matches!(host, Host::Unix(_))) && config.get_hostaddrs().is_empty() {
            // As in libpq: a socket of this host is not encrypted.
            config.ssl_mode(SslMode::Disable);
        }
        let each = *config.get_connect_timeout().unwrap_or(&CONNECT);
        config.connect_timeout(each).keepalives(true).keepalives_idle(KEEPALIVE).keepalives_interval(KEEPALIVE);
        config.keepalives_retries(KEEPALIVE_RETRIES).tcp_user_timeout(UNACKNOWLEDGED);
        let hosts = config.get_hosts().len().max(config.get_hostaddrs().len()).max(1);
        let limit = each * u32::try_from(hosts).unwrap_or(u32::MAX);
        let tls = Tls::new(&url.tls).map_err(Failed::Here)?;
        let runtime = Builder::new_current_thread().enable_io().enable_time().build();
        let runtime = runtime.map_err(|error| Failed::Here(Error::new(ErrorKind::Other, error.to_string())))?;
        let connected = within(&runtime, limit, config.connect(tls));
        let (client, connection) = match connected {
            Ok(connected) => connected,
            Err(failed) => {
                runtime.shutdown_background();
                return Err(failed);
            }
        };
        runtime.spawn(async move { drop(connection.await) });
        let limit = beyond(url.statement);
        let statements = HashMap::new();
        let mut link = Self { runtime: Some(runtime), client, statements, usual_limit: limit, limit, is_broken: false };
        link.run(&format!(
            "SET statement_timeout = {}; SET lock_timeout = {}; SET idle_in_transaction_session_timeout = {}; \
             SET search_path = tlsrpt, pg_temp; SET standard_conforming_strings = on; SET synchronous_commit = on",
            url.statement.as_millis(),
            // A lock must be there while there is time for the rest.
            (url.statement / 2).as_millis(),
            (url.statement * 5).as_millis()
        ))?;
        Ok(link)
    }

    /// Whether it can be used further.
    pub(super) fn works(&self) -> bool {
        !self.is_broken && !self.client.is_closed()
    }

    /// Waits for no answer longer than a moment, from now on.
    pub(super) fn hurry(&mut self) {
        self.limit = MOMENT;
    }

    /// Gives statements of the current transaction more time, which are known to take long.
    pub(super) fn allow(&mut self, limit: Duration) -> Result<(), Failed> {
        self.run(&format!("SET LOCAL statement_timeout = {}", limit.as_millis()))?;
        self.limit = beyond(limit);
        Ok(())
    }

    /// Runs statements without parameters and results.
    pub(super) fn run(&mut self, statements: &str) -> Result<(), Failed> {
        let done = within(self.runtime(), self.limit, self.client.batch_execute(statements));
        self.noted(done)
    }

    /// The rows of a statement.
    pub(super) fn rows(&mut self, statement: &str, parameters: Parameters<'_>) -> Result<Vec<Row>, Failed> {
        let statement = self.prepared(statement)?;
        let rows = within(self.runtime(), self.limit, self.client.query(&statement, parameters));
        self.noted(rows)
    }

    /// The first row of a statement.
    pub(super) fn row(&mut self, statement: &str, parameters: Parameters<'_>) -> Result<Option<Row>, Failed> {
        Ok(self.rows(statement, parameters)?.into_iter().next())
    }

    /// Runs a statement. How many rows it changed.
    pub(super) fn execute(&mut self, statement: &str, parameters: Parameters<'_>) -> Result<u64, Failed> {
        let statement = self.prepared(statement)?;
        let changed = within(self.runtime(), self.limit, self.client.execute(&statement, parameters));
        self.noted(changed)
    }

    /// Runs `work` in one transaction. After an error, nothing is changed, or the outcome of the end of the transaction is
    /// unknown.
    pub(super) fn transaction<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Failed>) -> Result<T, Failed> {
        self.run("BEGIN")?;
        let worked = work(self).and_then(|value| self.run("COMMIT").map(|()| value));
        self.limit = self.usual_limit;
        if worked.is_err() && self.works() && self.run("ROLLBACK").is_err() {
            self.is_broken = true;
        }
        worked
    }

    fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().expect("it is there until the link is dropped")
    }

    fn prepared(&mut self, statement: &str) -> Result<Statement, Failed> {
        if let Some(prepared) = self.statements.get(statement) {
            return Ok(prepared.clone());
        }
        let prepared = within(self.runtime(), self.limit, self.client.prepare(statement));
        let prepared = self.noted(prepared)?;
        self.statements.insert(statement.into(), prepared.clone());
        Ok(prepared)
    }

    fn noted<T>(&mut self, outcome: Result<T, Failed>) -> Result<T, Failed> {
        self.is_broken |= outcome.as_ref().err().is_some_and(Failed::ends_connection);
        outcome
    }
}

/// How long to wait for an answer of a server that may work so long on a statement.
fn beyond(limit: Duration) -> Duration {
    limit + limit / 4
}

fn within<T>(
    runtime: &Runtime,
    limit: Duration,
    work: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, Failed> {
    match runtime.block_on(async { timeout(limit, work).await }) {
        Ok(outcome) => outcome.map_err(Failed::Server),
        Err(_) => Err(Failed::Late(limit)),
    }
}
