//! Local datagram sockets by name.

mod bind;
mod explain;
mod owner;
mod probe;
mod queue;

pub(crate) use bind::Listening;
pub(crate) use explain::explain;
pub(crate) use owner::Owner;
pub(crate) use probe::{Found, probe};
pub(crate) use queue::{USUAL_LENGTH, length_of_new};

/// The longest name of a local socket in bytes: `sun_path` of Linux without the NUL at its end.
pub(crate) const LONGEST_NAME: usize = 107;
