//! Checks the socket of the collector and the directories of its path. It sends nothing.

mod elsewhere;
mod folders;
mod links;
mod place;
mod queue;
mod reader;
mod stuck;
mod waiting;
mod way;

use std::{fs, io, path::Path};

pub(crate) use place::Asker;
pub use place::Place;

use elsewhere::Elsewhere;
use folders::use_usual;
use tlsrpt_socket::{Found, LONGEST_NAME, probe};

use crate::{
    access::{Permission, Visitor, describe},
    collector::{Collector, USUAL},
    finding::{Finding, Status},
    mail_servers, paste,
    remedy::Remedy,
};

/// Checks the name, the directories and the socket, for a mail server of any user.
#[must_use]
pub fn check_socket(place: &Place, visitor: &Visitor, collector: &Collector) -> Vec<Finding> {
    let asker = Asker { visitor, group: None, rename: &|_| None, usual: Path::new(USUAL), collector };
    check_socket_of(place, asker)
}

/// Checks the name, the directories and the socket. Checks that make no sense after a failure are left out: without a
/// socket its permissions, without a listener its queue.
pub(crate) fn check_socket_of(place: &Place, asker: Asker<'_>) -> Vec<Finding> {
    let name = name(place, asker);
    let is_wrong = name.status == Status::Fail;
    let mut findings = vec![name];
    if is_wrong {
        return findings;
    }
    let way = place.way();
    // Outside of a chroot the system follows the links itself.
    let path = if place.chroot().is_some() && !way.links.is_empty() { way.end.clone() } else { place.path() };
    let found = probe(&path);
    if let Some(link) = links::check(place, &way, &found, asker) {
        findings.push(link);
        return findings;
    }
    let others = match found {
        Found::Listener(_) | Found::Unknown(_) => Vec::new(),
        _ => elsewhere::find(&path, asker),
    };
    let first = others.first();
    findings.extend(folders::check(place, &way, asker, first.map(|other| &other.remedy)));
    findings.push(kind(&path, &found, first, asker));
    if is_socket(&found) {
        findings.extend(permission(&path, asker));
        findings.push(listener(&path, &found, first, asker));
    }
    if let Found::Listener(socket) = &found {
        findings.extend(reader::check(&path, &asker.collector.restart()));
        findings.push(queue::now(&path, socket, asker.collector));
        findings.push(queue::length(socket, asker.collector));
    }
    findings.extend(others.into_iter().map(|other| other.finding(&path)));
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

fn name(place: &Place, asker: Asker<'_>) -> Finding {
    const CHECK: &str = "name";
    let shown = place.name.display();
    let len = place.name.as_os_str().len();
    if len <= LONGEST_NAME {
        return Finding::ok(CHECK, format!("{shown} has {len} of at most {LONGEST_NAME} bytes"));
    }
    let message = format!("{shown} has {len} bytes, {LONGEST_NAME} are possible");
    let reachable = elsewhere::find(&place.path(), asker).into_iter().find(|other| other.is_reachable);
    Finding::fail(CHECK, message, reachable.map_or_else(|| use_usual(asker), |other| other.remedy))
}

fn kind(path: &Path, found: &Found, elsewhere: Option<&Elsewhere>, asker: Asker<'_>) -> Finding {
    const CHECK: &str = "socket";
    let shown = path.display();
    let link = fs::read_link(path).ok();
    match found {
        Found::Nothing => {
            let message = match link {
                Some(target) => format!("{shown} is a symbolic link to {}, where there is nothing", target.display()),
                None => format!("there is nothing at {shown}"),
            };
            Finding::fail(CHECK, message, make_room(path, elsewhere, asker))
        }
        Found::Listener(_) | Found::Stale => Finding::ok(CHECK, format!("{shown} is a socket")),
        Found::OtherKindOfSocket => {
            let message = format!("{shown} is a socket, but not a datagram socket: not a collector's");
            let restart = Remedy::after("end the program that listens there", asker.collector.restart());
            let remedy =
                removal(path).map_or_else(|| restart.clone(), |removal| restart.clone().after_command(&removal));
            Finding::fail(CHECK, message, remedy)
        }
        Found::NotASocket(kind) => {
            Finding::fail(CHECK, format!("{shown} is {kind}, not a socket"), make_room(path, elsewhere, asker))
        }
        Found::Unknown(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Finding::warn(CHECK, format!("cannot look at {shown}: {error}"), Remedy::as_root())
        }
        Found::Unknown(error) => Finding::fail(CHECK, format!("{shown}: {error}"), use_usual(asker)),
    }
}

/// What removes a file that is no socket, and has the collector listen there or the mail server use its path.
fn make_room(path: &Path, elsewhere: Option<&Elsewhere>, asker: Asker<'_>) -> Remedy {
    let remedy = match elsewhere {
        Some(other) if other.is_reachable => return other.remedy.clone(),
        Some(other) => other.remedy.clone(),
        None => Remedy::run(asker.collector.restart()),
    };
    match removal(path) {
        Some(removal) => remedy.after_command(&removal),
        None => remedy,
    }
}

/// The command that removes a file or a folder. What is not empty is moved away: the path may have been mistyped.
fn removal(path: &Path) -> Option<String> {
    let file = fs::symlink_metadata(path).ok()?;
    let word = paste::word(&path.to_string_lossy());
    let has_entries = || fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some());
    Some(if file.is_dir() && !has_entries() {
        format!("rmdir {word}")
    } else if file.is_symlink() || file.is_file() && file.len() == 0 {
        format!("rm {word}")
    } else {
        format!("mv -T {word} {}", paste::word(&format!("{}.old", path.to_string_lossy())))
    })
}

fn permission(path: &Path, asker: Asker<'_>) -> Option<Finding> {
    const CHECK: &str = "permission";
    let metadata = fs::metadata(path).ok()?;
    let described = describe(&metadata);
    let shown = path.display();
    let visitor = asker.visitor;
    let by_group = asker.group.map(|group| Remedy::run(asker.collector.give_to(path, group)));
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
    Some(match (visitor, by_group) {
        (Visitor::User { .. }, Some(remedy)) => Finding::fail(CHECK, message, remedy),
        (Visitor::User { .. }, None) => Finding::fail(CHECK, message, mail_servers::give_socket(path, asker.collector)),
        (Visitor::Anybody, _) => Finding::warn(CHECK, message, mail_servers::give_socket(path, asker.collector)),
    })
}

fn listener(path: &Path, found: &Found, elsewhere: Option<&Elsewhere>, asker: Asker<'_>) -> Finding {
    const CHECK: &str = "listener";
    let shown = path.display();
    match found {
        Found::Listener(_) => Finding::ok(CHECK, format!("somebody listens at {shown}")),
        Found::Unknown(_) => {
            Finding::warn(CHECK, format!("cannot tell whether somebody listens at {shown}"), Remedy::as_root())
        }
        _ => Finding::fail(CHECK, format!("nobody listens at {shown}"), make_room_at_socket(elsewhere, asker)),
    }
}

/// The collector replaces a socket at which nobody listens.
fn make_room_at_socket(elsewhere: Option<&Elsewhere>, asker: Asker<'_>) -> Remedy {
    elsewhere.map_or_else(|| Remedy::run(asker.collector.restart()), |other| other.remedy.clone())
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::{Asker, Place, check_socket, check_socket_of};
    use crate::{Finding, Visitor, collector::tests::of_service};

    /// The finding of a check that is not OK.
    fn found(path: &Path, check: &str) -> Finding {
        let asker = Asker {
            visitor: &Visitor::Anybody,
            group: None,
            rename: &|other| other.ends_with("usual").then(|| format!("use {}", other.display())),
            usual: Path::new("/usual"),
            collector: &of_service(),
        };
        let mut findings = check_socket_of(&Place::of_host(path), asker);
        findings.retain(|finding| finding.check == check && finding.remedy.is_some());
        findings.pop().unwrap_or_else(|| panic!("{check}"))
    }

    #[test]
    fn what_is_in_the_way_of_a_socket_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let remedy = |start: &str| {
            let finding = found(&path, "socket");
            let command = finding.command().unwrap().to_owned();
            assert!(command.starts_with(&format!("{start} {}", path.display())), "{command}");
            assert!(command.ends_with(" && systemctl restart tlsrpt-collect"), "{command}");
            finding.message
        };
        fs::write(&path, "").unwrap();
        assert!(remedy("rm").contains("a regular file"));
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(remedy("rmdir").contains("a directory"));
        fs::write(path.join("kept"), "").unwrap();
        remedy("mv -T");
        fs::remove_dir_all(&path).unwrap();
        fs::write(&path, "kept").unwrap();
        remedy("mv -T");
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/no/such/file", &path).unwrap();
        assert!(remedy("rm").contains("is a symbolic link to /no/such/file"));
    }

    #[test]
    fn a_long_name_gets_a_command() {
        let long = format!("/{}", "x".repeat(200));
        assert_eq!(found(Path::new(&long), "name").command(), Some("use /usual"));
        // No other check says anything about it.
        let place = Place::of_host(Path::new(&long));
        assert_eq!(check_socket(&place, &Visitor::Anybody, &of_service()).len(), 1);
    }
}
