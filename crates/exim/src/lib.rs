//! TLSRPT for an unmodified Exim: what its events tell about TLS becomes an event for the collector.
//!
//! Exim raises events while it delivers (its manual's chapter "Events"), and calls `tlsrpt_event` for each through
//! `${dlfunc{...}}`, as `tlsrpt.conf` beside this crate has it. None of the events says how TLS ended, so:
//!
//! - [`call`]: what Exim passes.
//! - [`session`]: what was heard of one connection so far, and the moment when its result is known.
//! - [`failure`]: the failure type that Exim's words stand for.
//! - `report`: the event for the collector, by the crate `tlsrpt`.
//! - `module`: the function itself (feature `module`). The only unsafe code.
//!
//! A delivery must never fail because of this module: it does not panic, and what it cannot do it says in Exim's log.

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
