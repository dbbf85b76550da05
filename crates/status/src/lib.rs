//! The counters of the collector, whether it runs, and what needs attention. Reads the store and the file system
//! without disturbing the collector.
//!
//! - [`Status::look`]: the whole host. [`Domain::look`]: one domain.
//! - [`text`], [`json`], [`metrics`], [`html`](mod@html): views of them. Each escapes untrusted text.

#![forbid(unsafe_code)]

mod attention;
mod collector;
mod domain;
pub mod hosts;
pub mod html;
pub mod json;
pub mod metrics;
mod plot;
mod status;
mod stored;
pub mod text;

pub use attention::LEAST_FREE;
pub use collector::Collector;
pub use domain::{Domain, DomainDay};
pub use status::{Place, Status};
pub use stored::{Disk, InvalidOfDay, Reports, Stored, Worst};
pub use tlsrpt_store::Reason;
