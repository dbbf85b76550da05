//! Memory: blocks from the caller's `malloc`, released by the `free` that was set with it.
//!
//! Every allocation returns an error if it fails; nothing here panics or aborts.

mod buffer;
mod hooks;
mod owned;
mod shared;

pub(crate) use buffer::{Buffer, Tail};
pub(crate) use hooks::Hooks;
pub(crate) use owned::Owned;
pub(crate) use shared::Shared;
