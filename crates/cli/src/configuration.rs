//! The option `--config`, which all services share.

use std::path::{Path, PathBuf};

use tlsrpt_config::{Configuration, Loaded, Problems};
use tlsrpt_store::{Limits, Synchronous};

use crate::{failure::Failure, output::say};

/// The file of the configuration.
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

    /// The file that the command line names.
    pub(crate) fn named(&self) -> Option<&Path> {
        self.config.as_deref()
    }

    pub(crate) fn read(&self) -> Result<Loaded, Problems> {
        let loaded = tlsrpt_config::load(self.config.as_deref())?;
        loaded.warning_lines().for_each(|line| say(format_args!("warning: {line}")));
        Ok(loaded)
    }
}

/// The name of this host.
pub(crate) fn host_name() -> String {
    nix::unistd::gethostname().unwrap_or_default().to_string_lossy().into_owned()
}

/// The limits of the store.
pub(crate) fn limits(configuration: &Configuration) -> Limits {
    let Configuration { collect, store, .. } = configuration;
    Limits {
        domains: collect.max_domains,
        policies: collect.max_policies,
        failures: collect.max_failures,
        size: store.max_size,
    }
}

/// The setting `store.synchronous`, in the type of the crate that opens the store.
pub(crate) fn synchronous(configuration: &Configuration) -> Synchronous {
    match configuration.store.synchronous {
        tlsrpt_config::Synchronous::Full => Synchronous::Full,
        tlsrpt_config::Synchronous::Normal => Synchronous::Normal,
    }
}
