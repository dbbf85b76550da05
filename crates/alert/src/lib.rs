//! Early warning: tells the operator that sessions with a domain that used to work have begun to fail, hours before any report.
//!
//! - [`Threshold`]: how many sessions must fail.
//! - [`Watch`]: looks at the counters of the day in the store, and tells.
//! - [`Messenger`]: how the operator is told: by a command or a mail.
//!
//! The state is in the store. A restart repeats no alert, except one that was being told, and of several reporters one tells it.

#![forbid(unsafe_code)]

mod call;
mod messenger;
mod threshold;
mod watch;
mod words;

pub use messenger::Messenger;
pub use threshold::Threshold;
pub use watch::{Watch, Watching};
