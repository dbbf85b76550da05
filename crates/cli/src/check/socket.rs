//! Checks the socket of the collector and the directories of its path. It sends nothing.

use std::{
    fs, io,
    os::{
        fd::AsFd,
        unix::{ffi::OsStrExt, net::UnixDatagram},
    },
    path::{Path, PathBuf},
};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::{
    access::{Permission, Visitor, describe},
    finding::Finding,
};
use tlsrpt_socket::{Found, LONGEST_NAME, USUAL_LENGTH, length_of_new, probe};

/// The local sockets of this network namespace.
const SOCKETS: &str = "/proc/net/unix";
const ANOTHER_PLACE: &str = "name the path at which the collector listens";

/// The socket of the collector, as a mail server names it.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The name in the configuration of the mail server.
    pub(crate) name: PathBuf,
    /// The directory to which the name is relative: the working directory of the mail server or its chroot.
    pub(crate) from: Option<PathBuf>,
}

impl Place {
    pub(crate) fn path(&self) -> PathBuf {
        match &self.from {
            Some(from) => from.join(self.name.strip_prefix("/").unwrap_or(&self.name)),
            None => self.name.clone(),
        }
    }

    /// The directories of the path, from the first to the last.
    fn directories(&self) -> io::Result<Vec<PathBuf>> {
        let path = self.path();
        let last = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut directories: Vec<_> = match &self.from {
            Some(from) => {
                last.ancestors().take_while(|directory| directory.starts_with(from)).map(Into::into).collect()
            }
            None => fs::canonicalize(last)?.ancestors().map(Into::into).collect(),
        };
        directories.reverse();
        Ok(directories)
    }
}

/// Checks the name, the directories and the socket. Checks that make no sense after a failure are left out: without a
/// socket its permissions, without a listener its queue.
pub(crate) fn check_socket(place: &Place, visitor: &Visitor) -> Vec<Finding> {
    let mut findings = vec![name(&place.name)];
    findings.extend(directories(place, visitor));
    let path = place.path();
    let found = probe(&path);
    findings.push(kind(&path, &found));
    if is_socket(&found) {
        findings.extend(permission(&path, visitor));
        findings.push(listener(&path, &found));
    }
    if let Found::Listener(socket) = found {
        findings.push(queue_now(&path, &socket));
        findings.push(queue_length(&socket));
    }
    findings
}

/// Whether there is a socket, or may be one that this user cannot see.
fn is_socket(found: &Found) -> bool {
    match found {
        Found::Listener(_) | Found::Stale => true,
        Found::Unknown(error) => error.kind() == io::ErrorKind::PermissionDenied,
        _ => false,
    }
}

fn name(name: &Path) -> Finding {
    let len = name.as_os_str().len();
    if len <= LONGEST_NAME {
        Finding::ok("name", format!("{} has {len} of at most {LONGEST_NAME} bytes", name.display()))
    } else {
        let message = format!("{} has {len} bytes, {LONGEST_NAME} are possible", name.display());
        Finding::fail("name", message, "choose a shorter path")
    }
}

fn directories(place: &Place, visitor: &Visitor) -> Vec<Finding> {
    const CHECK: &str = "directories";
    let directories = match place.directories() {
        Ok(directories) => directories,
        Err(error) => {
            let parent = place.path();
            let parent = parent.parent().unwrap_or(&parent).display().to_string();
            let remedy = match error.kind() {
                io::ErrorKind::NotFound => format!("create {parent}"),
                io::ErrorKind::PermissionDenied => "check again as root".into(),
                _ => ANOTHER_PLACE.into(),
            };
            return vec![Finding::fail(CHECK, format!("{parent}: {error}"), remedy)];
        }
    };
    let mut findings: Vec<_> =
        directories.iter().filter_map(|directory| obstacle(CHECK, directory, place, visitor)).collect();
    if findings.is_empty() {
        let way: Vec<_> = directories.iter().map(|directory| directory.display().to_string()).collect();
        findings.push(Finding::ok(CHECK, format!("{visitor} may pass through {}", way.join(", "))));
    }
    findings
}

/// A problem with a directory of the path.
fn obstacle(check: &'static str, directory: &Path, place: &Place, visitor: &Visitor) -> Option<Finding> {
    let shown = directory.display();
    let metadata = match fs::symlink_metadata(directory) {
        Ok(metadata) => metadata,
        Err(error) => return Some(Finding::fail(check, format!("{shown}: {error}"), format!("create {shown}"))),
    };
    if metadata.is_symlink() {
        let message = format!("{shown} is a symbolic link, which a chrooted server follows inside its chroot");
        return Some(Finding::warn(check, message, format!("make {shown} a directory")));
    }
    if !metadata.is_dir() {
        return Some(Finding::fail(check, format!("{shown} is not a directory"), ANOTHER_PLACE));
    }
    if visitor.may(Permission::Pass, &metadata) {
        return None;
    }
    let message = format!("{visitor} may not pass through {shown} ({})", describe(&metadata));
    Some(match visitor {
        Visitor::Anybody => {
            let remedy = format!("chmod o+x {shown}, unless every mail server has its owner or group");
            Finding::warn(check, message, remedy)
        }
        Visitor::User { name, .. } => {
            let remedy = match &place.from {
                Some(_) => format!("chmod o+x {shown}"),
                None => format!("chmod o+x {shown}, or add {name} to its group"),
            };
            Finding::fail(check, message, remedy)
        }
    })
}

fn kind(path: &Path, found: &Found) -> Finding {
    const CHECK: &str = "socket";
    const START: &str = "start the collector, or name the path at which it listens";
    let shown = path.display();
    match found {
        Found::Nothing => Finding::fail(CHECK, format!("there is nothing at {shown}"), START),
        Found::Listener(_) | Found::Stale => Finding::ok(CHECK, format!("{shown} is a socket")),
        Found::OtherKindOfSocket => {
            Finding::fail(CHECK, format!("{shown} is a socket, but not a datagram socket: not a collector's"), START)
        }
        Found::NotASocket(kind) => Finding::fail(CHECK, format!("{shown} is {kind}, not a socket"), START),
        Found::Unknown(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Finding::warn(CHECK, format!("cannot look at {shown}: {error}"), "check again as root")
        }
        Found::Unknown(error) => Finding::fail(CHECK, format!("{shown}: {error}"), ANOTHER_PLACE),
    }
}

fn permission(path: &Path, visitor: &Visitor) -> Option<Finding> {
    const CHECK: &str = "permission";
    let metadata = fs::metadata(path).ok()?;
    let described = describe(&metadata);
    if visitor.may(Permission::Write, &metadata) {
        return Some(Finding::ok(CHECK, format!("{visitor} may write ({described})")));
    }
    let shown = path.display();
    let message = format!("{visitor} may not write to {shown} ({described})");
    let remedy =
        "set the mode of the socket to 0622 where the collector is configured (socketmode), or its owner or group";
    Some(match visitor {
        Visitor::Anybody => Finding::warn(CHECK, message, format!("{remedy}, unless every mail server has them")),
        Visitor::User { name, .. } => Finding::fail(CHECK, message, format!("{remedy} to {name}'s")),
    })
}

fn listener(path: &Path, found: &Found) -> Finding {
    const CHECK: &str = "listener";
    let shown = path.display();
    match found {
        Found::Listener(_) => Finding::ok(CHECK, format!("somebody listens at {shown}")),
        Found::Unknown(_) => {
            Finding::warn(CHECK, format!("cannot tell whether somebody listens at {shown}"), "check again as root")
        }
        _ => Finding::fail(CHECK, format!("nobody listens at {shown}"), "start the collector again"),
    }
}

/// Whether the queue has room: a connected socket is writable if the queue of its peer is not full.
fn queue_now(path: &Path, socket: &UnixDatagram) -> Finding {
    const CHECK: &str = "queue now";
    let mut awaited = [PollFd::new(socket.as_fd(), PollFlags::POLLOUT)];
    match poll(&mut awaited, PollTimeout::ZERO) {
        Ok(0) => {
            let message = format!("the queue at {} is full: events are lost", path.display());
            Finding::fail(CHECK, message, "see why the collector does not read; start it again")
        }
        Ok(_) => Finding::ok(CHECK, "the queue has room"),
        Err(error) => Finding::warn(CHECK, format!("cannot look at the queue: {error}"), "check again"),
    }
}

fn queue_length(socket: &UnixDatagram) -> Finding {
    const CHECK: &str = "queue length";
    if !peer_is_of_this_namespace(socket) {
        return Finding::ok(
            CHECK,
            "the socket is of another network namespace, whose setting cannot be seen from here",
        );
    }
    let length = match length_of_new() {
        Ok(length) => length,
        Err(error) => return Finding::warn(CHECK, format!("cannot read its setting: {error}"), "mount /proc"),
    };
    let message = format!("a socket made in this network namespace queues {length} datagrams");
    if length >= USUAL_LENGTH {
        return Finding::ok(CHECK, message);
    }
    let remedy = format!(
        "sysctl net.unix.max_dgram_qlen={USUAL_LENGTH} and start the collector again, or run tlsrpt listen --forward before it"
    );
    Finding::warn(CHECK, format!("{message}; further events of a burst are lost"), remedy)
}

/// Whether the peer of a connected socket was created in this network namespace.
///
/// The system lists each socket under the name to which its owner bound it, which may be relative or contain symbolic
/// links, and returns the same name for the peer. So the path that this command used does not matter.
fn peer_is_of_this_namespace(socket: &UnixDatagram) -> bool {
    let Ok(peer) = socket.peer_addr() else { return false };
    let Some(name) = peer.as_pathname() else { return false };
    let sockets = fs::read(SOCKETS).unwrap_or_default();
    sockets.split(|byte| *byte == b'\n').filter_map(bound_name).any(|bound| bound == name.as_os_str().as_bytes())
}

/// The name in a line of [`SOCKETS`], `Num RefCount Protocol Flags Type St Inode Path`. It may have spaces itself.
fn bound_name(line: &[u8]) -> Option<&[u8]> {
    let mut rest = line;
    for _ in 0..7 {
        rest = rest.trim_ascii_start();
        let end = rest.iter().position(|byte| *byte == b' ')?;
        rest = rest.get(end..)?;
    }
    rest.strip_prefix(b" ")
}

#[cfg(test)]
mod tests {
    use super::bound_name;

    #[test]
    fn names_in_the_list_of_sockets() {
        let line =
            |name: &str| format!("0000000000000000: 00000002 00000000 00010000 0002 01    42{name}").into_bytes();
        assert_eq!(bound_name(&line(" /run/a  b ")), Some(&b"/run/a  b "[..]));
        assert_eq!(bound_name(&line("  leading")), Some(&b" leading"[..]));
        assert_eq!(bound_name(&line("")), None);
        assert_eq!(bound_name(b""), None);
    }
}
