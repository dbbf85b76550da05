//! Symbolic links that lead a process of a chroot to another file than they lead other processes.

use std::{fs, io, path::Path};

use nix::errno::Errno;
use tlsrpt_socket::Found;

use super::{
    place::{Asker, Place},
    way::Way,
};
use crate::{finding::Finding, paste, remedy::Remedy};

const CHECK: &str = "link";

/// Finds such a link, if it leads to no collector. `found` is what is at the end of the way.
pub(super) fn check(place: &Place, way: &Way, found: &Found, asker: Asker<'_>) -> Option<Finding> {
    let chroot = place.chroot()?;
    let (link, target) = way.links.first()?;
    // A way that ends early leads to no socket, whatever this process finds at its end.
    let is_heard = way.problem.is_none() && matches!(found, Found::Listener(_));
    if is_heard || is_for_root(way) || leads_to_the_same(place, way) {
        return None;
    }
    let end = way.end.display();
    let what = match &way.problem {
        Some(error) if error.raw_os_error() == Some(Errno::ELOOP as i32) => "it is a loop there".into(),
        Some(error) if error.kind() == io::ErrorKind::NotFound => format!("there is no {end}"),
        Some(error) => format!("{end}: {error}"),
        None => format!("it is {end}, at which no collector listens"),
    };
    let message = format!(
        "{} is a symbolic link to {}, which a process in the chroot {} follows inside of it: {what}",
        link.display(),
        target.display(),
        chroot.display()
    );
    Some(Finding::fail(CHECK, message, remedy(place, link, asker)))
}

fn is_for_root(way: &Way) -> bool {
    way.problem.as_ref().is_some_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
}

/// Whether processes outside of the chroot find the same file.
fn leads_to_the_same(place: &Place, way: &Way) -> bool {
    match (fs::canonicalize(place.path()), fs::canonicalize(&way.end)) {
        (Ok(outside), Ok(inside)) => way.problem.is_none() && outside == inside,
        _ => false,
    }
}

/// The collector has to listen in the chroot, at the path without the link.
fn remedy(place: &Place, link: &Path, asker: Asker<'_>) -> Remedy {
    let path = place.path();
    let mut commands = vec![format!("rm {}", paste::word(&link.to_string_lossy()))];
    if let Some(folder) = path.parent().filter(|_| link != path) {
        commands.push(asker.collector.make_folder(folder, asker.group));
    }
    commands.push(asker.collector.listen_at(&path, asker.group));
    Remedy::run(commands.join(" && "))
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        os::unix::{fs::symlink, net::UnixDatagram},
        path::Path,
    };

    use crate::{
        Finding, Place, Visitor,
        collector::tests::of_socket_unit,
        socket::{Asker, check_socket_of},
    };

    fn findings(place: &Place) -> Vec<Finding> {
        let asker = Asker {
            visitor: &Visitor::Anybody,
            group: Some("postfix"),
            rename: &|_| None,
            usual: Path::new("/s"),
            collector: &of_socket_unit(),
        };
        check_socket_of(place, asker)
    }

    #[test]
    fn a_link_that_leads_out_of_the_chroot_is_explained() {
        let folder = tempfile::tempdir().unwrap();
        let (chroot, outside) = (folder.path().join("queue"), folder.path().join("s"));
        fs::create_dir_all(chroot.join("run/real")).unwrap();
        let _collector = UnixDatagram::bind(&outside).unwrap();
        let _inside = UnixDatagram::bind(chroot.join("run/real/s")).unwrap();
        symlink(&outside, chroot.join("run/s")).unwrap();
        symlink(folder.path(), chroot.join("out")).unwrap();
        symlink("/run/loop", chroot.join("run/loop")).unwrap();
        symlink("/run/real/s", chroot.join("run/good")).unwrap();
        let found = |name: &str| {
            let findings = findings(&Place::in_chroot(chroot.clone(), Path::new(name)));
            findings.into_iter().find(|finding| finding.check == "link")
        };
        for (name, link, what) in [
            ("run/s", "run/s", "there is no "),
            ("out/s", "out", "there is no "),
            ("/run/loop", "run/loop", "it is a loop there"),
        ] {
            let finding = found(name).unwrap_or_else(|| panic!("{name}"));
            assert!(finding.message.contains(what), "{finding:?}");
            let first = format!("rm {} && ", chroot.join(link).display());
            let listen = format!("ListenDatagram={}", chroot.join(name.trim_start_matches('/')).display());
            let command = finding.command().unwrap();
            assert!(command.starts_with(&first) && command.contains(&listen), "{command}");
        }
        // The commonest one: in the chroot it names itself, and outside it leads to the collector.
        let same = chroot.join(outside.strip_prefix("/").unwrap());
        fs::create_dir_all(same.parent().unwrap()).unwrap();
        symlink(&outside, &same).unwrap();
        assert!(found(outside.to_str().unwrap()).unwrap().message.contains("it is a loop there"));
        assert_eq!(found("run/good"), None);
        assert_eq!(found("run/real/s"), None);
        // A relative name without a chroot: the system follows the link.
        let of_host = findings(&Place::in_directory(chroot, Path::new("run/s")));
        let listens = |finding: &Finding| finding.check == "listener" && finding.remedy.is_none();
        assert!(of_host.iter().any(listens), "{of_host:?}");
    }
}
