//! The store of a database: its connection, and what runs on it.

use super::{
    adding::{self, Known},
    failure::Failed,
    link::Link,
    privileges, schema, upkeep,
    url::PostgresqlUrl,
};
use crate::{Added, Batch, Error, KeptDays, Limits, Purged, Store};

/// A store in a database of a server.
#[derive(Debug)]
pub(crate) struct Postgresql {
    url: PostgresqlUrl,
    limits: Limits,
    /// None after an error of the connection.
    link: Option<Link>,
    known: Known,
    /// Identifies this process among the reporters.
    pub(super) reporter: String,
}

impl Postgresql {
    /// Connects, for a role that owns the schema. Creates the schema, or migrates it.
    pub(crate) fn open_owned(url: &PostgresqlUrl, limits: Limits) -> Result<Self, Error> {
        let mut store = Self::new(url, limits);
        store.link = Some(store.connect(schema::migrate)?);
        Ok(store)
    }

    /// Connects, for a role that only uses the schema.
    pub(crate) fn open(url: &PostgresqlUrl, limits: Limits) -> Result<Self, Error> {
        let mut store = Self::new(url, limits);
        store.link = Some(store.connect(schema::check)?);
        Ok(store)
    }

    /// Connects, for a role that reads.
    pub(crate) fn open_reader(url: &PostgresqlUrl) -> Result<Self, Error> {
        let mut store = Self::open(url, Limits::default())?;
        store.on_link(privileges::check_reading)?;
        Ok(store)
    }

    fn new(url: &PostgresqlUrl, limits: Limits) -> Self {
        let (known, reporter) = (Known::default(), String::new());
        Self { url: url.clone(), limits, link: None, known, reporter }
    }

    fn connect(&self, check: fn(&mut Link) -> Result<(), Failed>) -> Result<Link, Error> {
        let mut link = Link::open(&self.url).map_err(|failed| failed.into_error(&self.url))?;
        check(&mut link).map_err(|failed| failed.into_error(&self.url))?;
        Ok(link)
    }

    /// Runs `work` on the connection. Makes a new one if the last was lost.
    pub(super) fn on_link<T>(&mut self, work: impl FnOnce(&mut Link) -> Result<T, Failed>) -> Result<T, Error> {
        self.try_on_link(work)?.map_err(|failed| failed.into_error(&self.url))
    }

    /// Runs `work` in one transaction. After an error, nothing is changed, or the outcome is unknown.
    pub(super) fn write<T>(&mut self, work: impl FnOnce(&mut Link) -> Result<T, Failed>) -> Result<T, Error> {
        self.on_link(|link| link.transaction(work))
    }

    fn try_on_link<T>(
        &mut self,
        work: impl FnOnce(&mut Link) -> Result<T, Failed>,
    ) -> Result<Result<T, Failed>, Error> {
        let mut link = match self.link.take().filter(Link::works) {
            Some(link) => link,
            // A later version of the program may have migrated the schema meanwhile.
            None => self.connect(schema::check)?,
        };
        let worked = work(&mut link);
        self.link = Some(link).filter(Link::works);
        Ok(worked)
    }
}

impl Drop for Postgresql {
    /// A reporter that ends says so. If the server does not take it at once, it finds out by itself.
    fn drop(&mut self) {
        if let Some(link) = self.link.as_mut().filter(|link| !self.reporter.is_empty() && link.works()) {
            link.hurry();
            let _ = link.execute("DELETE FROM reporter WHERE name = $1", &[&self.reporter]);
        }
    }
}

impl Store for Postgresql {
    fn add(&mut self, batch: &Batch) -> Result<Added, Error> {
        let counted = adding::Counted::of(batch);
        let limits = self.limits;
        let mut known = std::mem::take(&mut self.known);
        let mut added = self.try_on_link(|link| adding::add(link, &counted, &known, limits))?;
        if added.as_ref().err().is_some_and(adding::lacks_a_text) {
            // A text that the server had was removed with its last day.
            known.forget();
            added = self.try_on_link(|link| adding::add(link, &counted, &known, limits))?;
        }
        if added.is_ok() {
            known.learn(&counted);
        }
        self.known = known;
        added.map_err(|failed| failed.into_error(&self.url))
    }

    fn purge(&mut self, kept: KeptDays) -> Result<Purged, Error> {
        self.known.forget();
        self.on_link(|link| upkeep::purge(link, kept))
    }
}
