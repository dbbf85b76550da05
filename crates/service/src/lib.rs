//! The common parts of all long-running commands.
//!
//! - [`messages`]: lines for people. Writing one never waits for the reader of standard error.
//! - [`Log`]: the same with a level, in the form of the journal where it reads them.
//! - [`Notifier`]: what the service manager is told.
//! - [`Ending`]: one owner decides the end: a signal, the time, or a part of the work that has ended.
//! - [`Worker`]: a thread whose end is noticed, whatever ends it, and that can be abandoned when it is late.
//!
//! A service starts [`messages`], makes an [`Ending`], starts its workers with the [`EndSignal`], and waits. After that it
//! closes the queues of its workers and takes their outcomes up to a deadline. What is not done by then is given up: the
//! service returns from `main`, which ends all threads.

pub mod messages;

mod ending;
mod log;
mod notify;
mod worker;

pub use ending::{EndSignal, Ending};
pub use log::{Level, Log};
pub use notify::Notifier;
pub use worker::{Unfinished, Worker};
