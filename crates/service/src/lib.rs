//! The common parts of all long-running commands.
//!
//! - [`messages`]: lines on standard error. Writing a line never waits for the reader of standard error.
//! - [`Log`]: lines with a level, in the format of the journal if standard error is connected to it.
//! - [`Notifier`]: notifications to the service manager.
//! - [`Ending`]: decides when the service ends: after a signal, after a time, or when a worker has ended.
//! - [`Worker`]: a thread whose end is noticed, also after a panic, and that can be abandoned at a deadline.
//! - [`Patience`]: a time-out that counts only the time in which the process runs.
//!
//! A service starts [`messages`], makes an [`Ending`], starts its workers with the [`EndSignal`], and waits. Then it
//! closes the queues of its workers and waits for their results up to a deadline. It abandons workers that are not done
//! by then: the service returns from `main`, which ends all threads.

pub mod messages;

mod ending;
mod log;
mod notify;
mod patience;
mod worker;

pub use ending::{EndSignal, Ending};
pub use log::{Level, Log};
pub use notify::Notifier;
pub use patience::Patience;
pub use worker::{Unfinished, Worker};
