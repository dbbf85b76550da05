//! Checks the socket of the collector and the directories of its path. It sends nothing.

mod elsewhere;
mod folders;
mod place;
mod queue;
mod reader;

use std::{fs, io, path::Path};

pub(crate) use place::Asker;
pub use place::Place;

use place::ANOTHER_PLACE;
use tlsrpt_socket::{Found, LONGEST_NAME, probe};

use crate::{
    access::{Permission, Visitor, describe},
    finding::Finding,
    paste,
};

/// The command that starts the collector.
const START: &str = "systemctl start tlsrpt-collect";

/// Checks the name, the directories and the socket, for a mail server of any user.
#[must_use]
pub fn check_socket(place: &Place, visitor: &Visitor) -> Vec<Finding> {
    check_socket_of(place, Asker { visitor, group: None, rename: &|other| Some(name_it(other)) })
}

fn name_it(other: &Path) -> String {
    format!("name {} in the configuration of the mail server, and check it: tlsrpt check --socket {0}", other.display())
}

/// Checks the name, the directories and the socket. Checks that make no sense after a failure are left out: without a
/// socket its permissions, without a listener its queue.
pub(crate) fn check_socket_of(place: &Place, asker: Asker<'_>) -> Vec<Finding> {
    let mut findings = vec![name(&place.name)];
    findings.extend(folders::check(place, asker));
    let path = place.path();
    let found = probe(&path);
    findings.push(kind(&path, &found));
    if is_socket(&found) {
        findings.extend(permission(&path, asker));
        findings.push(listener(&path, &found));
    }
    match found {
        Found::Listener(socket) => {
            findings.extend(reader::check(&path));
            findings.push(queue::now(&path, &socket));
            findings.push(queue::length(&socket));
        }
        Found::Unknown(_) => {}
        _ => findings.extend(elsewhere::check(&path, asker)),
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

fn kind(path: &Path, found: &Found) -> Finding {
    const CHECK: &str = "socket";
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

fn permission(path: &Path, asker: Asker<'_>) -> Option<Finding> {
    const CHECK: &str = "permission";
    let metadata = fs::metadata(path).ok()?;
    let described = describe(&metadata);
    let shown = path.display();
    let visitor = asker.visitor;
    let by_group = asker.group.map(|group| {
        let file = paste::word(&path.to_string_lossy());
        format!(
            "chgrp {group} {file} && chmod 0660 {file}; to keep it, socket-group = \"{group}\" and socket-mode = \"0660\" in \
             [collect] of tlsrpt.toml (tlsrpt-collectd: socketmode = 0660)"
        )
    });
    if visitor.may(Permission::Write, &metadata) {
        return Some(match by_group {
            Some(remedy) if Visitor::Anybody.may(Permission::Write, &metadata) => {
                let message = format!(
                    "everybody may write to {shown} ({described}), so every user of this host can invent events for the reports"
                );
                Finding::warn(CHECK, message, remedy)
            }
            _ => Finding::ok(CHECK, format!("{visitor} may write ({described})")),
        });
    }
    let message = format!("{visitor} may not write to {shown} ({described})");
    Some(match visitor {
        Visitor::Anybody => {
            let remedy = "give the socket to the group of the mail server where the collector is configured: socket-group in \
                          [collect]; nothing, if it has that group";
            Finding::warn(CHECK, message, remedy)
        }
        Visitor::User { .. } => Finding::fail(CHECK, message, by_group.unwrap_or_default()),
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
        _ => Finding::fail(CHECK, format!("nobody listens at {shown}"), "systemctl restart tlsrpt-collect"),
    }
}
