//! A collector that listens at another path.

use std::path::{Path, PathBuf};

use tlsrpt_socket::{Found, probe};

use super::place::Asker;
use crate::{collector::USUAL, finding::Finding, processes, remedy::Remedy};

const CHECK: &str = "elsewhere";
/// What the path of a collector's socket has in it.
const TEXT: &str = "tlsrpt";
/// The usual paths. No list has the socket of a collector of root, which makes it in a network namespace of its own.
const USUAL_PATHS: [&str; 2] = [USUAL, "/var/spool/postfix/run/tlsrpt/tlsrpt.sock"];

/// A collector that listens at another path than the mail server uses, and what brings them together.
pub(super) struct Elsewhere {
    path: PathBuf,
    /// The mail server can use that path.
    pub(super) is_reachable: bool,
    pub(super) remedy: Remedy,
}

/// Finds the collectors that listen at another path than this one.
pub(super) fn find(path: &Path, asker: Asker<'_>) -> Vec<Elsewhere> {
    let mut others: Vec<_> = processes::bound_sockets().into_iter().map(|bound| bound.name).collect();
    others.extend(USUAL_PATHS.map(Into::into));
    others.sort();
    others.dedup();
    others.retain(|other| is_collector(other) && other != path);
    let bring_together = |other: PathBuf| match (asker.rename)(&other) {
        Some(command) => Elsewhere { path: other, is_reachable: true, remedy: Remedy::run(command) },
        None => {
            let command = asker.collector.listen_at(path, asker.group);
            Elsewhere { path: other, is_reachable: false, remedy: Remedy::run(command) }
        }
    };
    let mut found: Vec<_> = others.into_iter().map(bring_together).collect();
    found.sort_by_key(|elsewhere| !elsewhere.is_reachable);
    found
}

fn is_collector(path: &Path) -> bool {
    path.is_absolute() && path.to_string_lossy().contains(TEXT) && matches!(probe(path), Found::Listener(_))
}

impl Elsewhere {
    pub(super) fn finding(self, path: &Path) -> Finding {
        let other = self.path.display();
        let message = format!("a collector listens at {other}, and the mail server sends to {}", path.display());
        Finding::warn(CHECK, message, self.remedy)
    }
}

#[cfg(test)]
mod tests {
    use std::{os::unix::net::UnixDatagram, path::Path};

    use super::find;
    use crate::{access::Visitor, collector::tests::of_service, socket::Asker};

    #[test]
    fn a_collector_at_another_path_is_found_with_the_command_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let (here, other) = (folder.path().join("here"), folder.path().join("tlsrpt.sock"));
        let _collector = UnixDatagram::bind(&other).unwrap();
        let collector = of_service();
        let found = |rename: &dyn Fn(&Path) -> Option<String>| -> Vec<String> {
            let asker = Asker {
                visitor: &Visitor::Anybody,
                group: None,
                rename,
                usual: Path::new("/s"),
                collector: &collector,
            };
            find(&here, asker).iter().map(|found| found.remedy.command().unwrap().to_owned()).collect()
        };
        let wanted = other.clone();
        let rename = |path: &Path| (path == wanted).then(|| format!("use {}", path.display()));
        // Other collectors of this host, which cannot be reached, come later.
        assert_eq!(found(&rename)[0], format!("use {}", other.display()));
        let listen = of_service().listen_at(&here, None);
        assert!(found(&|_| None).contains(&listen), "{listen}");
    }
}
