//! The system calls: one socket, and the errors of its calls.

mod blocking;
mod portable;
mod socket;

pub use blocking::{set_blocking, set_nonblocking};
pub(crate) use socket::{MAX_NAME_LEN, Socket};
