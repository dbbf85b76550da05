//! The socket of the collector and the way to it. Nothing is sent.

use std::{
    fs, io,
    os::{fd::AsFd, unix::net::UnixDatagram},
    path::{Path, PathBuf},
};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::{
    Finding,
    access::{Permission, Visitor, describe},
};
use tlsrpt_socket::{Found, LONGEST_NAME, USUAL_LENGTH, length_of_new, probe};

/// The local sockets of this network namespace.
const SOCKETS: &str = "/proc/net/unix";

/// Where mail servers look for the collector.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// What they call it.
    pub(crate) name: PathBuf,
    /// Where relative names begin, and for a mail server in a chroot all names.
    pub(crate) from: Option<PathBuf>,
}

impl Place {
    pub(crate) fn path(&self) -> PathBuf {
        match &self.from {
            Some(from) => from.join(self.name.strip_prefix("/").unwrap_or(&self.name)),
            None => self.name.clone(),
        }
    }

    /// The directories that a visitor passes.
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

/// Looks at everything between a visitor and the collector, up to the first thing that is in the way of all others.
pub(crate) fn check_socket(place: &Place, visitor: &Visitor) -> Vec<Finding> {
    let mut findings = vec![name(&place.name)];
    findings.extend(directories(place, visitor));
    let path = place.path();
    let found = probe(&path);
    findings.push(kind(&path, &found));
    if let Found::Listener(_) | Found::Stale | Found::Unknown(_) = found {
        findings.extend(permission(&path, visitor));
        findings.push(listener(&path, &found));
    }
    if let Found::Listener(socket) = found {
        findings.push(queue_now(&path, &socket));
        findings.push(queue_length(&path));
    }
    findings
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
            return vec![Finding::fail(CHECK, format!("{parent}: {error}"), format!("create {parent}"))];
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

/// What is wrong with a directory on the way.
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
    const START: &str = "start the collector, or name the place where it listens";
    let shown = path.display();
    match found {
        Found::Nothing => Finding::fail(CHECK, format!("there is nothing at {shown}"), START),
        Found::Listener(_) | Found::Stale => Finding::ok(CHECK, format!("{shown} is a socket")),
        Found::OtherKindOfSocket => {
            Finding::fail(CHECK, format!("{shown} is a socket, but not a datagram socket: not a collector's"), START)
        }
        Found::NotASocket(kind) => Finding::fail(CHECK, format!("{shown} is {kind}, not a socket"), START),
        Found::Unknown(error) => {
            Finding::warn(CHECK, format!("cannot look at {shown}: {error}"), "check again as root")
        }
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

/// A connected socket becomes writable when the queue of its peer has a place.
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

fn queue_length(path: &Path) -> Finding {
    const CHECK: &str = "queue length";
    if !is_of_this_namespace(path) {
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
    Finding::warn(CHECK, format!("{message}; a burst loses what is beyond"), remedy)
}

/// Whether a socket with this name was made in this network namespace: `Num RefCount Protocol Flags Type St Inode Path`.
fn is_of_this_namespace(path: &Path) -> bool {
    let name = |line: &str| line.split_whitespace().nth(7).map(Into::into);
    let sockets = fs::read_to_string(SOCKETS).unwrap_or_default();
    sockets.lines().filter_map(name).any(|known: PathBuf| known == path)
}
