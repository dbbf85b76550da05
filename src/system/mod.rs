//! The room of the system calls: one socket, and what the system says when it refuses.

mod blocking;
mod socket;

pub use blocking::{set_blocking, set_nonblocking};
pub(crate) use socket::{MAX_NAME_LEN, Socket};
