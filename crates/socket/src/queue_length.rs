//! How many datagrams wait in a socket before the next sender is refused.
//!
//! The system decides that for each network namespace, and a socket keeps what was so when it was made. A new namespace,
//! as a container has, begins with 10: a burst of a busy mail server loses most of its events there. A name in the file
//! system is reached from any network namespace. So a socket that is made in a namespace of its own, with a longer
//! queue, serves just as well, and nobody else's setting is touched.

use std::{fs, io, panic::resume_unwind, thread};

use nix::sched::{CloneFlags, unshare};

/// What systemd sets at boot for the namespace of the system.
pub const USUAL_LENGTH: u32 = 512;

/// Enough for all events of a burst while the reader waits for its turn. Not more, for each place may hold a datagram
/// of 208 KiB in the memory of the system.
const LONG: u32 = 2048;

/// Read and written for the network namespace of the thread.
const SETTING: &str = "/proc/sys/net/unix/max_dgram_qlen";

/// The length of the queue of a socket made in this network namespace.
pub fn length_of_new() -> io::Result<u32> {
    fs::read_to_string(SETTING)?.trim().parse().map_err(io::Error::other)
}

/// Makes a socket, with a long queue if the system lets us, which takes the right to make a network namespace. The
/// socket and the length of its queue, as far as that is known.
pub(crate) fn with_long_queue<S: Send>(make: impl Fn() -> io::Result<S> + Sync) -> io::Result<(S, Option<u32>)> {
    let usual = length_of_new().ok();
    let in_namespace = || {
        if usual >= Some(LONG) || unshare(CloneFlags::CLONE_NEWNET).is_err() {
            return None;
        }
        fs::write(SETTING, LONG.to_string()).ok()?;
        Some(make().map(|socket| (socket, Some(LONG))))
    };
    // The thread alone moves to the namespace, which lasts as long as the socket.
    let made = thread::scope(|scope| scope.spawn(in_namespace).join()).unwrap_or_else(|panic| resume_unwind(panic));
    made.unwrap_or_else(|| make().map(|socket| (socket, usual)))
}
