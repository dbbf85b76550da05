//! The counters of the collector, whether it runs, and what needs attention. Reads the store and the file system
//! without disturbing the collector.
//!
//! - [`Status::look`]: the whole host. [`Domain::look`]: one domain.
//! - [`text`], [`json`], [`metrics`]: views of them. Each escapes untrusted text. `tlsrpt-pages` makes a page of them.

#![forbid(unsafe_code)]

mod attention;
mod collector;
mod deliveries;
mod domain;
mod extent;
pub mod hosts;
pub mod json;
pub mod metrics;
mod notes;
mod place;
mod status;
mod stored;
pub mod text;

pub use attention::LEAST_FREE;
pub use collector::Collector;
pub use domain::{Domain, DomainDay};
pub use extent::Extent;
pub use place::Place;
pub use status::Status;
pub use stored::{Disk, InvalidOfDay, Reports, Stored, Worst};
pub use tlsrpt_store::Reason;
