//! TLSRPT for mail servers: hands the TLS result of each delivery to the local report collector.
//!
//! A domain that publishes a TLSRPT record ([RFC 8460]) asks the servers that send mail to it for a daily report of TLS
//! successes and failures. The sending server describes each delivery to this library, which writes one JSON datagram
//! and sends it to the collector's socket (`tlsrpt-collectd` of tlsrpt-reporter); the collector makes the reports.
//!
//! ```no_run
//! use tlsrpt::{Connection, FailureDetails, FailureType, FinalResult, PolicyType};
//!
//! # fn main() -> Result<(), tlsrpt::Error> {
//! let connection = Connection::open("/run/tlsrpt/tlsrpt.sock")?;
//! let mut request = connection.delivery_request("example.org", "v=TLSRPTv1; rua=mailto:tls@example.org")?;
//!
//! let mut policy = request.policy(PolicyType::Sts, Some(b"example.org"))?;
//! policy.add_policy_string("version: STSv1")?;
//! policy.add_policy_string("mode: enforce")?;
//! policy.add_mx_host_pattern("*.mail.example.org")?;
//! let details = FailureDetails::new().receiving_mx_hostname("mx1.mail.example.org").receiving_ip("2001:db8::25");
//! policy.add_failure(FailureType::CertificateExpired, &details)?;
//! policy.finish(FinalResult::Failure)?;
//!
//! request.send()?;
//! # Ok(())
//! # }
//! ```
//!
//! # Modules
//!
//! - [`Connection`], [`DeliveryRequest`], [`Policy`]: the interface for Rust.
//! - `request`: one event under way, with the verbs that the Rust and the C interface call.
//! - `event`: the datagram and how it is written. Safe code, no system calls.
//! - `system`: the socket; all system calls.
//! - `memory`: blocks and buffers from the caller's `malloc` and `free`.
//! - `capi`: the C functions of `tlsrpt.h` (feature `capi`); all pointers of the caller.
//!
//! # Guarantees
//!
//! The library does not panic, print, exit or wait: a full queue of the collector is an error at once
//! ([`set_nonblocking`] is the default). It has no threads, and no global state besides the allocator and the blocking
//! mode. It needs neither `std` nor `alloc`; the feature `std` adds paths as socket names.
//!
//! [RFC 8460]: https://www.rfc-editor.org/rfc/rfc8460

#![no_std]

#[cfg(any(test, feature = "std"))]
extern crate std;

/// The examples of the document are tests too.
#[cfg(doctest)]
#[doc = include_str!("../docs/interface.md")]
struct Interface;

/// The items inside, where this crate is built without std. For `crates/clib`, which cannot see this crate's features.
#[cfg(feature = "std")]
#[doc(hidden)]
#[macro_export]
macro_rules! without_std {
    ($($item:item)*) => {};
}

/// See above.
#[cfg(not(feature = "std"))]
#[doc(hidden)]
#[macro_export]
macro_rules! without_std {
    ($($item:item)*) => { $($item)* };
}

#[cfg(feature = "capi")]
pub mod capi;
mod connection;
mod delivery_request;
mod errno;
mod error;
mod event;
mod failure_details;
mod memory;
mod policy;
mod record;
mod request;
mod socket_name;
mod system;
pub mod version;
mod vocabulary;

pub use connection::Connection;
pub use delivery_request::DeliveryRequest;
pub use error::{Error, ErrorKind};
pub use failure_details::{FailureDetails, FailureMember};
pub use policy::Policy;
pub use record::only_record;
pub use socket_name::SocketName;
pub use system::{set_blocking, set_nonblocking};
#[doc(hidden)]
pub use vocabulary::Definition;
pub use vocabulary::{FailureType, FinalResult, PolicyType};
