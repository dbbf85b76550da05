//! The resolvers that the chrooted services know.

use std::path::{Path, PathBuf};

use super::Postfix;
use crate::{bounded, finding::Finding, paste, remedy::Remedy};

const CHECK: &str = "resolv.conf";
const OF_HOST: &str = "/etc/resolv.conf";

/// The file that the SMTP clients read.
pub(super) fn of_clients(postfix: &Postfix) -> PathBuf {
    let chrooted = postfix.clients().into_iter().any(|client| postfix.is_chrooted(client));
    if chrooted { in_chroot(postfix) } else { OF_HOST.into() }
}

fn in_chroot(postfix: &Postfix) -> PathBuf {
    postfix.path("queue_directory").join(OF_HOST.trim_start_matches('/'))
}

pub(super) fn check(postfix: &Postfix) -> Option<Finding> {
    let inside = of_clients(postfix);
    (inside != Path::new(OF_HOST)).then(|| compare(postfix, &inside, Path::new(OF_HOST)))
}

fn compare(postfix: &Postfix, inside: &Path, of_host: &Path) -> Finding {
    let shown = inside.display();
    let copy = || {
        let folder = inside.parent().unwrap_or(inside).to_string_lossy();
        Remedy::run(format!(
            "mkdir -p {} && cp {OF_HOST} {} && {}",
            paste::word(&folder),
            paste::word(&inside.to_string_lossy()),
            postfix.reload()
        ))
    };
    let Ok(wanted) = bounded::read_text(of_host) else {
        return Finding::warn(
            CHECK,
            format!("there is no {}", of_host.display()),
            Remedy::after("if the resolver runs on this host", format!("echo 'nameserver 127.0.0.1' >{OF_HOST}")),
        );
    };
    let Ok(found) = bounded::read_text(inside) else {
        let message = format!("the chroot of Postfix has no {shown}: Postfix asks the resolver at 127.0.0.1");
        return if is_local(&wanted) { Finding::ok(CHECK, message) } else { Finding::fail(CHECK, message, copy()) };
    };
    if lines(&found) == lines(&wanted) {
        return Finding::ok(CHECK, format!("{shown}, which the chrooted services read, is like {OF_HOST}"));
    }
    let message = format!("{shown}, which the chrooted services read, differs from {OF_HOST}");
    Finding::warn(CHECK, message, copy())
}

/// The lines that are in force.
fn lines(text: &str) -> Vec<Vec<&str>> {
    let used = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', ';']));
    used.map(|line| line.split_whitespace().collect()).collect()
}

/// Whether the resolver is at the address that is asked without a configuration.
fn is_local(text: &str) -> bool {
    lines(text).contains(&vec!["nameserver", "127.0.0.1"])
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::compare;
    use crate::{finding::Status, postfix::configuration::tests::postfix};

    #[test]
    fn the_file_in_the_chroot_must_be_like_that_of_the_host() {
        let folder = tempfile::tempdir().unwrap();
        let (inside, host) = (folder.path().join("inside"), folder.path().join("host"));
        let found = || compare(&postfix(&[]), &inside, &host).status;
        fs::write(&host, "# by hand\nnameserver 192.0.2.53\n").unwrap();
        assert_eq!(found(), Status::Fail);
        fs::write(&inside, "nameserver  192.0.2.53 \n").unwrap();
        assert_eq!(found(), Status::Ok);
        fs::write(&inside, "nameserver 192.0.2.54\n").unwrap();
        assert_eq!(found(), Status::Warn);
        fs::remove_file(&inside).unwrap();
        fs::write(&host, "nameserver 127.0.0.1\n").unwrap();
        assert_eq!(found(), Status::Ok);
    }
}
