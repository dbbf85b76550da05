//! Parses the datagram that a mail server sends for each delivery.

mod canonical;
mod domain;
mod event;
mod fast;
mod invalid;
mod reading;

pub use domain::normalized_domain;
pub use event::{Event, Failure, FailureDetails, LONGEST, Policy, PolicyDescription, VERSION};
pub use invalid::{Invalid, InvalidReason};
pub use reading::parse;
pub use tlsrpt::{FailureMember, FailureType};
