//! The directories on the way to the socket.

use std::{fs, io, path::Path};

use super::place::{ANOTHER_PLACE, Asker, Place};
use crate::{
    access::{Permission, Visitor, describe},
    finding::Finding,
    paste,
};

const CHECK: &str = "directories";

pub(super) fn check(place: &Place, asker: Asker<'_>) -> Vec<Finding> {
    let directories = match place.directories() {
        Ok(directories) => directories,
        Err(error) => {
            let parent = place.path();
            let parent = parent.parent().unwrap_or(&parent).display().to_string();
            let remedy = match error.kind() {
                io::ErrorKind::NotFound => create(Path::new(&parent), asker),
                io::ErrorKind::PermissionDenied => "check again as root".into(),
                _ => ANOTHER_PLACE.into(),
            };
            return vec![Finding::fail(CHECK, format!("{parent}: {error}"), remedy)];
        }
    };
    let mut findings: Vec<_> = directories.iter().filter_map(|directory| obstacle(directory, place, asker)).collect();
    if findings.is_empty() {
        let way: Vec<_> = directories.iter().map(|directory| directory.display().to_string()).collect();
        findings.push(Finding::ok(CHECK, format!("{} may pass through {}", asker.visitor, way.join(", "))));
    }
    findings
}

/// A problem with a directory of the path.
fn obstacle(directory: &Path, place: &Place, asker: Asker<'_>) -> Option<Finding> {
    let shown = directory.display();
    let word = paste::word(&directory.to_string_lossy());
    let metadata = match fs::symlink_metadata(directory) {
        Ok(metadata) => metadata,
        Err(error) => return Some(Finding::fail(CHECK, format!("{shown}: {error}"), create(directory, asker))),
    };
    if metadata.is_symlink() {
        let message = format!("{shown} is a symbolic link, which a chrooted server follows inside its chroot");
        return Some(Finding::warn(CHECK, message, format!("make {shown} a directory")));
    }
    if !metadata.is_dir() {
        return Some(Finding::fail(CHECK, format!("{shown} is not a directory"), ANOTHER_PLACE));
    }
    let visitor = asker.visitor;
    if visitor.may(Permission::Pass, &metadata) {
        let open = asker.group.is_some() && Visitor::Anybody.may(Permission::Write, &metadata);
        return open.then(|| {
            let message = format!(
                "everybody may write to {shown} ({}), so every user of this host can put a socket of their own there",
                describe(&metadata)
            );
            Finding::warn(CHECK, message, format!("chmod o-w {word}"))
        });
    }
    let message = format!("{visitor} may not pass through {shown} ({})", describe(&metadata));
    Some(match (visitor, asker.group) {
        (Visitor::Anybody, _) => {
            let remedy = format!("chmod o+x {word}, unless every mail server has its owner or group");
            Finding::warn(CHECK, message, remedy)
        }
        // The directory of the socket is the collector's. Those above it are not for one group.
        (_, Some(group)) if place.path().parent() == Some(directory) => {
            Finding::fail(CHECK, message, format!("chgrp {group} {word} && chmod g+x {word}"))
        }
        _ => Finding::fail(CHECK, message, format!("chmod o+x {word}")),
    })
}

/// The command that makes a directory for the socket.
fn create(directory: &Path, asker: Asker<'_>) -> String {
    let word = paste::word(&directory.to_string_lossy());
    match asker.group {
        Some(group) => format!("install -d -o tlsrpt -g {group} -m 2750 {word}"),
        None => format!("create {word}"),
    }
}
