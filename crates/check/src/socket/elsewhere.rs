//! A collector that listens at another path.

use std::path::Path;

use tlsrpt_socket::{Found, probe};

use super::place::Asker;
use crate::{finding::Finding, processes};

const CHECK: &str = "elsewhere";
/// What the path of a collector's socket has in it.
const TEXT: &str = "tlsrpt";
/// The usual paths. No list has the socket of a collector of root, which makes it in a network namespace of its own.
const USUAL: [&str; 2] = ["/run/tlsrpt/tlsrpt.sock", "/var/spool/postfix/run/tlsrpt/tlsrpt.sock"];

/// Finds the collectors that listen at another path than this one, at which none does.
pub(super) fn check(path: &Path, asker: Asker<'_>) -> Vec<Finding> {
    let mut others: Vec<_> = processes::bound_sockets().into_iter().map(|bound| bound.name).collect();
    others.extend(USUAL.map(Into::into));
    others.sort();
    others.dedup();
    others.iter().filter(|other| is_collector(other) && *other != path).map(|other| of(path, other, asker)).collect()
}

fn is_collector(path: &Path) -> bool {
    path.is_absolute() && path.to_string_lossy().contains(TEXT) && matches!(probe(path), Found::Listener(_))
}

fn of(path: &Path, other: &Path, asker: Asker<'_>) -> Finding {
    let message =
        format!("a collector listens at {}, and the mail server sends to {}", other.display(), path.display());
    let remedy = (asker.rename)(other).unwrap_or_else(|| {
        format!(
            "set socket = \"{}\" in [collect] of /etc/tlsrpt/tlsrpt.toml; systemctl restart tlsrpt-collect",
            path.display()
        )
    });
    Finding::warn(CHECK, message, remedy)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;

    use super::check;
    use crate::{access::Visitor, socket::Asker};

    #[test]
    fn a_collector_at_another_path_is_found_with_the_command_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let (here, other) = (folder.path().join("here"), folder.path().join("tlsrpt.sock"));
        let _collector = UnixDatagram::bind(&other).unwrap();
        let rename = |path: &std::path::Path| Some(format!("use {}", path.display()));
        let found = |rename| check(&here, Asker { visitor: &Visitor::Anybody, group: None, rename });
        let remedy = format!("use {}", other.display());
        assert!(found(&rename).iter().any(|finding| finding.remedy.as_ref() == Some(&remedy)));
        let set = format!("set socket = \"{}\"", here.display());
        assert!(found(&|_| None).iter().any(|finding| finding.remedy.as_ref().unwrap().starts_with(&set)));
    }
}
