//! Files that can be read, and those that cannot.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use tempfile::TempDir;
use tlsrpt_config::{LARGEST_FILE, load};

fn file(content: impl AsRef<[u8]>, mode: u32) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tlsrpt.toml");
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    (directory, path)
}

fn refused(path: &Path) -> String {
    load(Some(path)).unwrap_err().to_string()
}

#[test]
fn a_file_is_read_with_its_lines() {
    let (_directory, path) = file("\n[store]\nkeep-days = 7\n", 0o644);
    let loaded = load(Some(&path)).unwrap();
    assert_eq!(loaded.configuration.store.keep_days, 7);
    assert_eq!(loaded.file.as_deref(), Some(&*path));
    assert!(loaded.warnings.is_empty());
}

#[test]
fn a_named_file_must_exist() {
    assert_eq!(refused(Path::new("/nowhere/tlsrpt.toml")), "/nowhere/tlsrpt.toml: there is no such file");
}

#[test]
fn a_file_that_is_not_regular_is_refused_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let pipe = directory.path().join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    for path in [&pipe, directory.path(), Path::new("/dev/zero")] {
        assert!(refused(path).ends_with(": it is not a regular file"), "{}", path.display());
    }
}

#[test]
fn size_is_bounded() {
    let comments = |length| "#".repeat(usize::try_from(length).unwrap());
    let (_directory, path) = file(comments(LARGEST_FILE), 0o644);
    load(Some(&path)).unwrap();
    let (_directory, path) = file(comments(LARGEST_FILE + 1), 0o644);
    assert!(refused(&path).contains("larger than 1048576 bytes"));
}

#[test]
fn other_encodings_are_reported_with_the_line() {
    let (_directory, path) = file(b"# one\n# two\n# \xfc\n", 0o644);
    assert_eq!(refused(&path), format!("{}:3: this line is not UTF-8", path.display()));
}

#[test]
fn a_secret_that_everybody_can_read_is_a_warning() {
    let secret = "[mail]\nusername = \"u\"\npassword = \"p\"\n";
    let (_directory, path) = file(secret, 0o644);
    let warnings = load(Some(&path)).unwrap().warnings;
    assert_eq!(warnings.len(), 1);
    assert_eq!(warnings[0].line, Some(3));
    assert!(warnings[0].message.starts_with("everybody can read [mail] password; run: chmod o= "), "{warnings:?}");
    let (_directory, path) = file(secret, 0o640);
    assert!(load(Some(&path)).unwrap().warnings.is_empty());
}

#[test]
fn a_file_that_everybody_can_write_is_a_warning() {
    let (_directory, path) = file("", 0o646);
    let warnings = load(Some(&path)).unwrap().warnings;
    assert!(warnings.len() == 1 && warnings[0].message.starts_with("everybody can write"), "{warnings:?}");
}
