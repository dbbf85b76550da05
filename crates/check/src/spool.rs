//! Whether the collector may write its spool, where the store is in a database that many hosts share.

use std::{
    fs::{self, Metadata},
    io,
    path::Path,
};

use tlsrpt_config::Configuration;
use tlsrpt_store::{ErrorKind, Url, look_at_spool};

use crate::{
    access::{Permission, Visitor, describe},
    collector::{Collector, USER},
    finding::Finding,
    packages, paste, processes,
    remedy::Remedy,
};

const CHECK: &str = "spool";
/// The name of the process.
const PROCESS: &str = "tlsrpt";
const READ_AND_WRITE: [Permission; 2] = [Permission::Read, Permission::Write];
const CREATE_FILES: [Permission; 2] = [Permission::Pass, Permission::Write];

/// Checks the spool and its folder for the user of the collector: that of the process at the socket; if none runs, that of
/// the units of systemd, or the owner of the folder. None if the store is a file of this host.
#[must_use]
pub fn check_spool(configuration: &Configuration, installed: &Collector) -> Option<Finding> {
    let Url::Postgresql(_) = &configuration.store.url else { return None };
    let running = processes::holders(&configuration.collect.socket).into_iter().find(|process| process.name == PROCESS);
    let running = running.and_then(|process| fs::metadata(format!("/proc/{}", process.id)).ok());
    let collector = running.map(|process| Visitor::owner_of(&process));
    let collector = collector.or_else(|| nix::unistd::geteuid().is_root().then(|| Visitor::named(USER)).flatten());
    Some(judge(&configuration.store.spool, collector, installed))
}

fn judge(spool: &Path, collector: Option<Visitor>, installed: &Collector) -> Finding {
    let folder = spool.parent().unwrap_or(Path::new("/"));
    let (path, of_folder) = match fs::canonicalize(folder).and_then(|path| Ok((path, fs::metadata(folder)?))) {
        Ok(found) => found,
        Err(error) => return no_folder(folder, &error, installed),
    };
    let collector = collector.unwrap_or_else(|| Visitor::owner_of(&of_folder));
    if let Some(directory) = collector.closed_folder(&path) {
        let word = paste::word(&directory.to_string_lossy());
        let directory = directory.display();
        let message = format!("{collector}, who collects, may not pass through {directory} to {}", spool.display());
        return Finding::fail(CHECK, message, Remedy::run(format!("chmod o+x {word}")));
    }
    if !may(&collector, CREATE_FILES, &of_folder) {
        return no_access(&collector, "create files in", folder, &of_folder, "");
    }
    match fs::metadata(spool) {
        // With the files that SQLite keeps beside it.
        Ok(file) if !may(&collector, READ_AND_WRITE, &file) => {
            no_access(&collector, "read and write", spool, &file, "*")
        }
        Ok(_) => content(spool, &collector),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Finding::ok(CHECK, format!("{collector}, who collects, may create {}", spool.display()))
        }
        Err(error) => Finding::warn(CHECK, format!("{}: {error}", spool.display()), Remedy::as_root()),
    }
}

fn may(collector: &Visitor, permissions: [Permission; 2], file: &Metadata) -> bool {
    permissions.into_iter().all(|permission| collector.may(permission, file))
}

fn no_folder(folder: &Path, error: &io::Error, installed: &Collector) -> Finding {
    let shown = folder.display();
    let message = format!("{shown}: {error}: the collector cannot keep events until the database takes them");
    if error.kind() == io::ErrorKind::PermissionDenied {
        return Finding::warn(CHECK, message, Remedy::as_root());
    }
    let remedy =
        format!("install -d -o {USER} -m 0750 {} && {}", paste::word(&folder.to_string_lossy()), installed.restart());
    Finding::fail(CHECK, message, Remedy::run(remedy))
}

fn no_access(collector: &Visitor, to_do: &str, path: &Path, of: &Metadata, others: &str) -> Finding {
    let shown = path.display();
    let message = format!(
        "{collector}, who collects, may not {to_do} {shown} ({}): events are dropped when its memory is full",
        describe(of)
    );
    let name = match collector {
        Visitor::User { name, .. } => name,
        Visitor::Anybody => USER,
    };
    let path = paste::word(&path.to_string_lossy());
    Finding::fail(CHECK, message, Remedy::run(format!("chown {name} {path}{others}")))
}

fn content(spool: &Path, collector: &Visitor) -> Finding {
    match look_at_spool(spool) {
        Ok(state) => {
            let (spool, batches) = (spool.display(), state.batches);
            Finding::ok(
                CHECK,
                format!("{collector}, who collects, may read and write {spool}, in which {batches} batches wait"),
            )
        }
        Err(error) if error.kind() == ErrorKind::Newer => {
            Finding::fail(CHECK, error.to_string(), Remedy::after("install that version", packages::install("tlsrpt")))
        }
        Err(error) => Finding::warn(
            CHECK,
            error.to_string(),
            Remedy::after("the log of the collector may say more", "journalctl -u tlsrpt-collect -n 50"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, Permissions},
        os::unix::fs::{MetadataExt, PermissionsExt},
        path::Path,
    };

    use tlsrpt_config::load_text;
    use tlsrpt_store::{Spool, SpoolOptions, Synchronous};

    use super::{check_spool, judge};
    use crate::{access::Visitor, collector::tests::of_service, finding::Status};

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_keeps_the_collector_from_its_spool_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let (of_spool, spool) = (folder.path().join("lib"), folder.path().join("lib/spool.db"));
        let owner = fs::metadata(folder.path()).unwrap().uid();
        // Neither the owner nor in the group.
        let collector = Visitor::User { name: "collector".into(), user: owner + 1, groups: vec![] };
        let found = |expected: Status, text: &str, remedy: &str| {
            let finding = judge(&spool, Some(collector.clone()), &of_service());
            assert_eq!(finding.status, expected, "{finding:?}");
            assert!(finding.message.contains(text), "{finding:?}");
            assert!(finding.command().unwrap_or_default().contains(remedy), "{remedy}");
        };
        set_mode(folder.path(), 0o755);
        found(Status::Fail, "cannot keep events", "install -d -o tlsrpt-collect");
        fs::create_dir(&of_spool).unwrap();
        set_mode(&of_spool, 0o755);
        found(Status::Fail, "may not create files in", &format!("chown collector {}", of_spool.display()));
        set_mode(&of_spool, 0o757);
        found(Status::Ok, "may create", "");
        set_mode(folder.path(), 0o750);
        found(Status::Fail, "may not pass through", "chmod o+x");
        set_mode(folder.path(), 0o755);
        let options = SpoolOptions { limit: 1 << 30, synchronous: Synchronous::Full };
        drop(Spool::open(&spool, options).unwrap());
        set_mode(&spool, 0o644);
        found(Status::Fail, "may not read and write", &format!("chown collector {}*", spool.display()));
        set_mode(&spool, 0o666);
        found(Status::Ok, "in which 0 batches wait", "");
        fs::write(&spool, "no spool").unwrap();
        found(Status::Warn, "spool.db", "journalctl");
    }

    #[test]
    fn only_a_store_that_hosts_share_has_a_spool() {
        let checked = |url: &str| {
            let text = format!("[store]\nurl = \"{url}\"\nspool = \"/no/such/folder/spool.db\"\n");
            check_spool(&load_text(Path::new("tlsrpt.toml"), &text).unwrap().configuration, &of_service())
                .map(|finding| finding.status)
        };
        assert_eq!(checked("sqlite:/tmp/x.db"), None);
        assert_eq!(checked("postgresql://c@db.example/tlsrpt"), Some(Status::Fail));
    }
}
