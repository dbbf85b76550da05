//! The option `--config`, which all services share.

use std::path::PathBuf;

use tlsrpt_config::{Configuration, Loaded, Problems, StoreUrl};
use tlsrpt_store::{Synchronous, Url};

use crate::{failure::Failure, output::say};

/// Where the configuration is read from.
#[derive(Debug, clap::Args)]
pub(crate) struct ConfigFile {
    /// Configuration file [default: /etc/tlsrpt/tlsrpt.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConfigFile {
    /// Reads the configuration for a service, and prints its warnings on standard error.
    pub(crate) fn load(&self) -> Result<Loaded, Failure> {
        self.read().map_err(Failure::Configuration)
    }

    pub(crate) fn read(&self) -> Result<Loaded, Problems> {
        let loaded = tlsrpt_config::load(self.config.as_deref())?;
        loaded.warning_lines().for_each(|line| say(format_args!("warning: {line}")));
        Ok(loaded)
    }
}

/// The store, as the crate that opens it wants it.
pub(crate) fn store_url(configuration: &Configuration) -> Url {
    match &configuration.store.url {
        StoreUrl::Sqlite(path) => Url::Sqlite(path.clone()),
    }
}

/// What a power cut may take of the store.
pub(crate) fn synchronous(configuration: &Configuration) -> Synchronous {
    match configuration.store.synchronous {
        tlsrpt_config::Synchronous::Full => Synchronous::Full,
        tlsrpt_config::Synchronous::Normal => Synchronous::Normal,
    }
}
