//! TLSRPT for an unmodified Exim: a module that turns Exim's events into events for the collector.
//!
//! Exim raises events while it delivers (chapter "Events" of its manual). The configuration in `tlsrpt.conf` calls
//! `tlsrpt_event` for each of them through `${dlfunc{...}}`. No single event gives the result of TLS, so the module combines them:
//!
//! - [`call`]: the arguments of one event.
//! - [`session`]: combines the events of one connection into its result.
//! - [`failure`]: the result type for the text of a failed TLS session.
//! - [`report`]: the event for the collector, by the crate `tlsrpt`.
//! - `module`: the function itself (feature `module`). The only unsafe code.
//!
//! A delivery must not fail because of this module: it does not panic, and it logs errors in Exim's main log.

#![no_std]

#[cfg(test)]
extern crate std;

pub mod call;
pub mod failure;
#[cfg(feature = "module")]
pub mod module;
pub mod report;
pub mod session;
mod text;
