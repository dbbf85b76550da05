//! The settings of the collector.

use std::path::PathBuf;

use tlsrpt_socket::Owner;
use tlsrpt_store::{Limits, Synchronous, Url};

/// The sections `[collect]` and `[store]` of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `collect.socket`: where the collector listens, unless the service manager passes a socket.
    pub socket: PathBuf,
    /// `collect.socket-owner` and `collect.socket-group`: the owner of the socket. None: the user and group of the
    /// process.
    pub socket_owner: Option<Owner>,
    /// `collect.socket-mode`: the permissions of the socket.
    pub socket_mode: u32,
    /// `collect.buffer`: the memory in bytes for datagrams that wait for the store.
    pub buffer: usize,
    /// `collect.keep-invalid`: the directory for invalid datagrams. None: they are only counted.
    pub keep_invalid: Option<PathBuf>,
    /// `collect.max-domains`, `collect.max-policies`, `collect.max-failures`: the limits of a day.
    pub limits: Limits,
    /// `store.url`: the store.
    pub url: Url,
    /// `store.spool` and `store.spool-limit`: the spool for a store that many hosts share, and its size in bytes.
    pub spool: PathBuf,
    /// See [`Self::spool`].
    pub spool_limit: u64,
    /// `store.host`: the name of this host in a store that many hosts share.
    pub host: String,
    /// `store.keep-days`: how many days stay in the store, today included. At least 2.
    pub keep_days: u32,
    /// `store.synchronous`: `full` or `normal`.
    pub synchronous: Synchronous,
}
