//! Tests that need root: directories that belong to other users. Run by `make test-root`.

use std::{
    fs::{self, Permissions},
    io::{BufRead, BufReader},
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown, symlink},
        net::UnixDatagram,
        process::CommandExt,
    },
    path::Path,
    process::{Child, Command, Stdio},
};

use nix::unistd::{Gid, Uid, geteuid};
use tempfile::TempDir;
use tlsrpt_socket::{BindError, Listening, NameAtEnd, Owner, PathOptions};

const OTHER_USER: u32 = 65534;

fn bind(path: &Path) -> Result<Listening<UnixDatagram>, BindError> {
    let owner = Owner { user: Some(Uid::from_raw(OTHER_USER)), group: Some(Gid::from_raw(OTHER_USER)) };
    Listening::bind(path, &PathOptions { mode: 0o666, owner: Some(owner), name: NameAtEnd::Removed })
}

fn directory() -> TempDir {
    assert!(geteuid().is_root(), "these tests need root");
    tempfile::tempdir().unwrap()
}

/// A process of another user that replaces each new socket with a symbolic link. Ends with the test.
struct Attacker(Child);

impl Attacker {
    fn start(path: &Path, target: &Path) -> Self {
        const SWAP: &str = "
import os, stat, sys
path, target = sys.argv[1:]
print('ready', flush=True)
while os.getppid() != 1:
    try:
        is_socket = stat.S_ISSOCK(os.lstat(path).st_mode)
        os.unlink(path)
        if is_socket:
            os.symlink(target, path)
    except OSError:
        pass
";
        let mut command = Command::new("python3");
        command.args(["-c", SWAP]).args([path, target]).uid(OTHER_USER).gid(OTHER_USER).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        Self(child)
    }
}

impl Drop for Attacker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_file_of_root_is_not_given_to_the_owner_of_the_directory() {
    let root_s = directory();
    let theirs = root_s.path().join("theirs");
    fs::create_dir(&theirs).unwrap();
    fs::set_permissions(root_s.path(), Permissions::from_mode(0o755)).unwrap();
    chown(&theirs, Some(OTHER_USER), Some(OTHER_USER)).unwrap();
    let (path, target) = (theirs.join("s"), root_s.path().join("precious"));
    fs::write(&target, "precious").unwrap();
    fs::set_permissions(&target, Permissions::from_mode(0o600)).unwrap();
    let attacker = Attacker::start(&path, &target);
    for _ in 0..200 {
        assert!(matches!(bind(&path), Err(BindError::Changeable(_))));
        let metadata = fs::metadata(&target).unwrap();
        assert_eq!((metadata.uid(), metadata.gid(), metadata.mode() & 0o7777), (0, 0, 0o600));
    }
    drop(attacker);
}

#[test]
fn root_refuses_a_directory_that_others_can_change_and_says_who() {
    let directory = directory();
    let (parent, inner) = (directory.path().join("parent"), directory.path().join("parent/inner"));
    fs::create_dir_all(&inner).unwrap();
    let set = |path: &Path, owner, mode| {
        chown(path, Some(owner), None).unwrap();
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    };
    let refusal = || bind(&inner.join("s")).map(drop).map_err(|error| error.to_string());
    assert_eq!(refusal(), Ok(()));
    let cases = [
        (
            &inner,
            OTHER_USER,
            0o755,
            "user nobody (owner nobody, mode 0755)",
            "chown root DIR, or start this command as user nobody",
        ),
        (&inner, 0, 0o775, "group root (owner root, mode 0775)", "chmod g-w DIR"),
        (&inner, 0, 0o757, "every user (owner root, mode 0757)", "chmod o-w DIR"),
        (
            &parent,
            OTHER_USER,
            0o755,
            "user nobody (owner nobody, mode 0755)",
            "chown root DIR, or start this command as user nobody",
        ),
        (&parent, 0, 0o777, "every user (owner root, mode 0777)", "chmod o-w DIR"),
    ];
    for (changed, owner, mode, who, remedy) in cases {
        set(changed, owner, mode);
        let shown = changed.display().to_string();
        let remedy = remedy.replace("DIR", &shown);
        assert_eq!(
            refusal(),
            Err(format!("{shown} can be changed by {who}: root makes no socket there; run: {remedy}"))
        );
        set(changed, 0, 0o755);
    }
    // The sticky bit protects the files of root.
    set(&inner, 0, 0o1777);
    assert_eq!(refusal(), Ok(()));
}

#[test]
fn root_refuses_a_link_of_another_user() {
    let directory = directory();
    let (inner, link) = (directory.path().join("inner"), directory.path().join("link"));
    fs::create_dir(&inner).unwrap();
    symlink(&inner, &link).unwrap();
    bind(&link.join("s")).unwrap();
    std::os::unix::fs::lchown(&link, Some(OTHER_USER), None).unwrap();
    let refusal = bind(&link.join("s")).unwrap_err().to_string();
    assert!(refusal.contains(&format!("chown -h root {}", link.display())), "{refusal}");
}

#[test]
fn the_socket_belongs_to_its_owner() {
    let directory = directory();
    let path = directory.path().join("s");
    let _listening = bind(&path).unwrap();
    let metadata = fs::symlink_metadata(&path).unwrap();
    assert_eq!((metadata.uid(), metadata.gid(), metadata.mode() & 0o7777), (OTHER_USER, OTHER_USER, 0o666));
}

#[test]
fn the_queue_is_long_if_a_network_namespace_can_be_created() {
    let directory = directory();
    assert_eq!(bind(&directory.path().join("s")).unwrap().queue_length(), Some(2048));
}
