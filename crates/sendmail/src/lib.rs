//! TLSRPT for an unmodified Sendmail: the server of a socket map that Sendmail asks after each TLS handshake.
//!
//! Sendmail's rule set `Local_tls_server` runs once for each outgoing connection, when it is known whether TLS is on. The
//! rules in `tlsrpt.m4` look something up there in a socket map, with all that Sendmail knows of the handshake as the key.
//! The delivery waits for the answer, so the server answers at once, always that there is nothing to be found, and does
//! its work later: it looks up the domain's TLSRPT record and sends an event to the collector.
//!
//! - [`netstring`], [`client`], [`server`], [`listener`]: the side of Sendmail. One thread, which never waits for a client.
//! - [`handshake`]: what Sendmail says of one connection.
//! - [`dns`], [`records`]: what only DNS knows: the TLSRPT record, and whether DANE applied.
//! - [`outcome`]: the result of the connection.
//! - [`reporter`]: the threads that find it and report it.

pub mod client;
pub mod dns;
pub mod handshake;
pub mod listener;
pub mod netstring;
pub mod outcome;
pub mod records;
pub mod reporter;
pub mod server;
