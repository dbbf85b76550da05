//! The directories on the way to the socket.

use std::{fs, io, path::Path};

use super::{
    place::{Asker, Place},
    way::Way,
};
use crate::{
    access::{Permission, Visitor, describe},
    finding::{Finding, Status},
    paste,
    remedy::Remedy,
};

const CHECK: &str = "directories";

/// Checks the directories of the way. `elsewhere` is what helps if one is missing and a collector listens at another path.
pub(super) fn check(place: &Place, way: &Way, asker: Asker<'_>, elsewhere: Option<&Remedy>) -> Vec<Finding> {
    let path = place.path();
    let mut findings: Vec<_> =
        way.directories.iter().filter_map(|directory| obstacle(directory, &path, asker)).collect();
    let failed = findings.iter().any(|finding| finding.status == Status::Fail);
    // A link at the path itself is judged as what is in the place of the socket.
    let is_link = way.links.iter().any(|(link, _)| *link == path);
    if let Some(error) = way.problem.as_ref().filter(|_| !failed && !is_link) {
        findings.push(ended(&path, way, error, asker, elsewhere));
    }
    if findings.is_empty() {
        let way: Vec<_> = way.directories.iter().map(|directory| directory.display().to_string()).collect();
        findings.push(Finding::ok(CHECK, format!("{} may pass through {}", asker.visitor, way.join(", "))));
    }
    findings
}

/// The way ends before the socket.
fn ended(path: &Path, way: &Way, error: &io::Error, asker: Asker<'_>, elsewhere: Option<&Remedy>) -> Finding {
    let folder = if way.links.is_empty() { path.parent().unwrap_or(path) } else { &way.end };
    let remedy = match error.kind() {
        io::ErrorKind::PermissionDenied => Remedy::as_root(),
        _ if elsewhere.is_some() => elsewhere.cloned().unwrap_or_else(Remedy::as_root),
        io::ErrorKind::NotFound => {
            let make = asker.collector.make_folder(folder, asker.group);
            Remedy::run(format!("{make} && {}", asker.collector.restart()))
        }
        _ => use_usual(asker),
    };
    Finding::fail(CHECK, format!("{}: {error}", folder.display()), remedy)
}

/// The path cannot be that of a collector: another one has to be used.
pub(super) fn use_usual(asker: Asker<'_>) -> Remedy {
    let command = (asker.rename)(asker.usual);
    Remedy::run(command.unwrap_or_else(|| asker.collector.listen_at(asker.usual, asker.group)))
}

/// A problem with a directory on the way to this path.
fn obstacle(directory: &Path, path: &Path, asker: Asker<'_>) -> Option<Finding> {
    let shown = directory.display();
    let word = paste::word(&directory.to_string_lossy());
    let metadata = match fs::metadata(directory) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            return Some(Finding::fail(CHECK, format!("{shown}: {error}"), Remedy::as_root()));
        }
        Err(error) => {
            let make = asker.collector.make_folder(directory, asker.group);
            return Some(Finding::fail(CHECK, format!("{shown}: {error}"), Remedy::run(make)));
        }
    };
    if !metadata.is_dir() {
        return Some(Finding::fail(CHECK, format!("{shown} is not a directory"), use_usual(asker)));
    }
    let visitor = asker.visitor;
    if visitor.may(Permission::Pass, &metadata) {
        let open = asker.group.is_some() && Visitor::Anybody.may(Permission::Write, &metadata);
        return open.then(|| {
            let message = format!(
                "everybody may write to {shown} ({}), so every user of this host can put a socket of their own there",
                describe(&metadata)
            );
            Finding::warn(CHECK, message, Remedy::run(format!("chmod o-w {word}")))
        });
    }
    let message = format!("{visitor} may not pass through {shown} ({})", describe(&metadata));
    Some(match (visitor, asker.group) {
        (Visitor::Anybody, _) => {
            let unless = "nothing, if every mail server has its owner or group; else";
            Finding::warn(CHECK, message, Remedy::after(unless, format!("chmod o+x {word}")))
        }
        // The directory of the socket is the collector's. Those above it are not for one group.
        (_, Some(group)) if path.parent() == Some(directory) => {
            Finding::fail(CHECK, message, Remedy::run(format!("chgrp {group} {word} && chmod g+x {word}")))
        }
        _ => Finding::fail(CHECK, message, Remedy::run(format!("chmod o+x {word}"))),
    })
}
