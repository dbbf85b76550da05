//! `tlsrpt collect`: the collector.

use nix::unistd::{Gid, Uid};
use tlsrpt_collect::Settings;
use tlsrpt_config::Configuration;
use tlsrpt_socket::Owner;

use crate::{
    configuration::{ConfigFile, host_name, limits, synchronous},
    failure::Failure,
};

/// Receives the events of mail servers, counts them and keeps the counters in the store.
///
/// It runs in the foreground until SIGINT or SIGTERM.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tlsrpt collect
  tlsrpt collect --config ./tlsrpt.toml")]
pub(crate) struct Arguments {
    #[command(flatten)]
    file: ConfigFile,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let settings = settings(&arguments.file.load()?.configuration);
    // The collector has already logged the reason.
    tlsrpt_collect::run(&settings).map_err(|_| Failure::Found)
}

pub(crate) fn settings(configuration: &Configuration) -> Settings {
    let Configuration { collect, store, .. } = configuration;
    let user = collect.socket_owner.as_ref().map(|user| Uid::from_raw(user.id));
    let group = collect.socket_group.as_ref().map(|group| Gid::from_raw(group.id));
    Settings {
        socket: collect.socket.clone(),
        socket_owner: (user.is_some() || group.is_some()).then_some(Owner { user, group }),
        socket_mode: collect.socket_mode,
        buffer: usize::try_from(collect.buffer).unwrap_or(usize::MAX),
        keep_invalid: collect.keep_invalid.clone(),
        limits: limits(configuration),
        url: store.url.clone(),
        spool: store.spool.clone(),
        spool_limit: store.spool_limit,
        host: store.host.clone().unwrap_or_else(host_name),
        keep_days: u32::try_from(store.keep_days).unwrap_or(u32::MAX),
        synchronous: synchronous(configuration),
    }
}
