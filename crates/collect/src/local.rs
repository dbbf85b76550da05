//! Where the keeping thread adds batches, on this host.

use jiff::Timestamp;
use tlsrpt_service::{Level, Log};
use tlsrpt_store::{Error, Options, Store, Url, open, set_aside};

use crate::{
    settings::Settings,
    spool::{AddsToSpool, Spool},
};

/// A store of this host, or the spool for a store that many hosts share.
#[derive(Debug)]
pub(crate) enum Local {
    Store(Url, Options),
    Spool(Spool),
}

impl Local {
    /// `spool` is that of this host, if the store is one that many hosts share.
    pub(crate) fn of(settings: &Settings, spool: Option<&Spool>) -> Self {
        let options = Options { limits: settings.limits, synchronous: settings.synchronous };
        spool.map_or_else(|| Self::Store(settings.url.clone(), options), |spool| Self::Spool(spool.clone()))
    }

    /// Its name in a message.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Store(..) => "store",
            Self::Spool(_) => "spool",
        }
    }

    /// Its location in a message.
    pub(crate) fn place(&self) -> String {
        match self {
            Self::Store(url, _) => url.to_string(),
            Self::Spool(spool) => spool.path().display().to_string(),
        }
    }

    /// Opens it. Creates it if there is none.
    pub(crate) fn open(&self) -> Result<Box<dyn Store>, Error> {
        match self {
            Self::Store(url, options) => open(url, *options),
            Self::Spool(spool) => Ok(Box::new(AddsToSpool::open(spool)?)),
        }
    }

    /// Renames the damaged file, so that collecting goes on in a new one. Returns false if another thread has opened a new
    /// one already.
    pub(crate) fn set_aside(&self, log: Log) -> bool {
        let stamp = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let renamed = match self {
            Self::Store(url, _) => set_aside(url, &stamp).map(Some),
            Self::Spool(spool) => spool.set_aside(&stamp),
        };
        match renamed {
            Ok(Some(renamed)) => log.say(
                Level::Error,
                format_args!(
                    "{place}: the {name} is damaged and was renamed {renamed}; collecting goes on in a new {name}; the \
                     events in {renamed} are in no report until you recover them, for instance with: sqlite3 {renamed} \
                     .recover",
                    place = self.place(),
                    name = self.name(),
                    renamed = renamed.display()
                ),
            ),
            Ok(None) => return false,
            Err(error) => log.say(Level::Error, error),
        }
        true
    }
}
