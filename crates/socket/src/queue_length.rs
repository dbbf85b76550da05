//! How many datagrams wait in a socket before the next sender is refused.
//!
//! Linux has one setting for each network namespace, and a socket keeps the value from the time when it was made. A new
//! namespace, as a container has, begins with 10: a burst of a busy mail server loses most of its events there. A path is
//! reached from any network namespace. So a socket that is made in a namespace of its own, with a longer queue, serves
//! the same clients, and the setting of the host stays as it is.

use std::{fs, io};

/// The length that systemd sets at boot for the namespace of the system.
pub const USUAL_LENGTH: u32 = 512;

/// Read and written for the network namespace of the thread.
const SETTING: &str = "/proc/sys/net/unix/max_dgram_qlen";

/// The length of the queue of a socket made in this network namespace.
///
/// # Errors
///
/// `/proc` is not mounted, or the system is not Linux.
pub fn length_of_new() -> io::Result<u32> {
    fs::read_to_string(SETTING)?.trim().parse().map_err(io::Error::other)
}

/// Enough for all events of a burst while the reader waits for its turn. Not more, for each place may hold a datagram of
/// 208 KiB in the memory of the system.
pub(crate) const LONG: u32 = 2048;

/// Moves the calling thread to a network namespace whose sockets queue [`LONG`] datagrams, which takes the right to make
/// one. Whether it is there. Where it is not, the thread must make no socket: it may be in a namespace with a short queue.
#[cfg(target_os = "linux")]
pub(crate) fn move_to_long_queue() -> bool {
    use nix::sched::{CloneFlags, unshare};
    let is_short = length_of_new().is_ok_and(|length| length < LONG);
    is_short && unshare(CloneFlags::CLONE_NEWNET).is_ok() && fs::write(SETTING, LONG.to_string()).is_ok()
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn move_to_long_queue() -> bool {
    false
}
