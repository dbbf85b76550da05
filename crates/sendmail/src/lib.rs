//! TLSRPT for an unmodified Sendmail: the server of a socket map that Sendmail queries after each TLS handshake.
//!
//! Sendmail runs the rule set `Local_tls_server` once for each outgoing connection, after STARTTLS. The rules in `tlsrpt.m4`
//! look up a key in a socket map there; the key contains the facts of the handshake. The delivery waits for the answer,
//! so the server answers at once that the map has no such key. Then it looks up the domain's TLSRPT record and sends an
//! event to the collector.
//!
//! - [`netstring`], [`client`], [`server`]: the socket map. One thread, which waits for no client.
//! - [`handshake`]: the key.
//! - [`reporter`]: the queue between the server and the tasks that send events.
//! - [`resolver`], [`records`], [`lookups`]: DNS lookups.
//! - [`outcome`], [`event`]: the result of the connection, and the event for the collector.

#![deny(unsafe_code)]

pub mod client;
pub mod event;
mod exchange;
pub mod handshake;
pub mod lookups;
pub mod netstring;
pub mod outcome;
pub mod records;
pub mod reporter;
pub mod resolver;
pub mod server;
