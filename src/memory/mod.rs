//! The room of the memory: blocks from the caller's `malloc`, given back to the `free` that belongs to it.
//!
//! Every allocation can fail and says so; nothing here panics or aborts.

mod buffer;
mod hooks;
mod owned;
mod shared;

pub(crate) use buffer::{Buffer, Tail};
pub(crate) use hooks::Hooks;
pub(crate) use owned::Owned;
pub(crate) use shared::Shared;
