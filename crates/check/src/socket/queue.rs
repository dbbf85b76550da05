//! The queue of the socket.

use std::{
    os::{fd::AsFd, unix::net::UnixDatagram},
    path::Path,
};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tlsrpt_socket::{USUAL_LENGTH, length_of_new};

use super::waiting::bound_to;
use crate::{collector::Collector, finding::Finding, remedy::Remedy};

/// The file that keeps the setting.
const SETTING: &str = "/etc/sysctl.d/tlsrpt.conf";

/// Whether the queue has room: a connected socket is writable if the queue of its peer is not full.
pub(super) fn now(path: &Path, socket: &UnixDatagram, collector: &Collector) -> Finding {
    const CHECK: &str = "queue now";
    let mut awaited = [PollFd::new(socket.as_fd(), PollFlags::POLLOUT)];
    match poll(&mut awaited, PollTimeout::ZERO) {
        Ok(0) => {
            let message = format!("the queue at {} is full: events are lost", path.display());
            let first = "journalctl -u tlsrpt-collect says why the collector does not read";
            Finding::fail(CHECK, message, Remedy::after(first, collector.restart()))
        }
        Ok(_) => Finding::ok(CHECK, "the queue has room; whether its reader stores events, --send finds out"),
        Err(error) => {
            Finding::warn(CHECK, format!("cannot look at the queue: {error}"), Remedy::check_again("look again"))
        }
    }
}

pub(super) fn length(socket: &UnixDatagram, collector: &Collector) -> Finding {
    const CHECK: &str = "queue length";
    if !peer_is_of_this_namespace(socket) {
        return Finding::ok(
            CHECK,
            "the socket is of another network namespace, whose setting cannot be seen from here",
        );
    }
    let length = match length_of_new() {
        Ok(length) => length,
        Err(error) => {
            return Finding::warn(
                CHECK,
                format!("cannot read its setting: {error}"),
                Remedy::run("mount -t proc proc /proc"),
            );
        }
    };
    let message = format!("a socket made in this network namespace queues {length} datagrams");
    if length >= USUAL_LENGTH {
        return Finding::ok(CHECK, message);
    }
    let remedy = Remedy::run(format!(
        "echo net.unix.max_dgram_qlen={USUAL_LENGTH} >{SETTING} && sysctl -p {SETTING} && {}",
        collector.restart()
    ));
    Finding::warn(CHECK, format!("{message}; further events of a burst are lost"), remedy)
}

/// Whether the peer of a connected socket was created in this network namespace.
///
/// The system lists each socket under the name to which its owner bound it, which may be relative or contain symbolic
/// links, and returns the same name for the peer. So the path that this command used does not matter.
fn peer_is_of_this_namespace(socket: &UnixDatagram) -> bool {
    let Ok(peer) = socket.peer_addr() else { return false };
    let Some(name) = peer.as_pathname() else { return false };
    !bound_to(name).is_empty()
}
