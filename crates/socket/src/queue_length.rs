//! The length of the queue of a datagram socket: when so many datagrams wait, the next send fails or blocks.
//!
//! Linux has one setting for each network namespace, and a socket keeps the value of the time when it was created. In a
//! new namespace, such as that of a container, it is 10: a burst of a busy mail server loses most of its events there.
//! The path of a socket can be reached from any network namespace. So this module creates the socket in a separate
//! namespace with a longer queue: the same clients reach it, and the setting of the host does not change.

use std::{fs, io};

/// The length that systemd sets at boot for the namespace of the system.
pub const USUAL_LENGTH: u32 = 512;

/// The setting of the network namespace of the calling thread.
const SETTING: &str = "/proc/sys/net/unix/max_dgram_qlen";

/// The length of the queue of a socket made in this network namespace.
///
/// # Errors
///
/// `/proc` is not mounted, or the system is not Linux.
pub fn length_of_new() -> io::Result<u32> {
    fs::read_to_string(SETTING)?.trim().parse().map_err(io::Error::other)
}

/// Long enough for the events of a burst while the reader is not scheduled. Not longer, because each datagram may take
/// 208 KiB of kernel memory.
pub(crate) const LONG: u32 = 2048;

/// Moves the calling thread to a new network namespace whose sockets queue [`LONG`] datagrams. Needs the right to
/// create one. Returns whether that succeeded. If not, do not create a socket in this thread: it may be in a namespace
/// with a short queue.
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
