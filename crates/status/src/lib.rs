//! What the collector counted, whether it runs, and what needs a person. Read from the store and the file system; the
//! collector does not notice.
//!
//! - [`Status::look`]: the whole host. [`Domain::look`]: one domain.
//! - [`text`], [`json`], [`metrics`], [`html`](mod@html): views of them. Text of strangers is escaped in each.

#![forbid(unsafe_code)]

mod attention;
mod collector;
mod domain;
pub mod html;
pub mod json;
pub mod metrics;
mod plot;
mod reasons;
mod status;
mod stored;
pub mod text;

pub use collector::Collector;
pub use domain::{Domain, DomainDay};
pub use reasons::Reason;
pub use status::{Place, Status};
pub use stored::{Disk, InvalidOfDay, Reports, Stored, Worst};
