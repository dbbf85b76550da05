//! Tests of taking over a socket path while other processes change the same directory.

use std::{
    ffi::OsStr,
    fs::{self, File, Permissions},
    io::ErrorKind,
    os::unix::{
        fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink},
        net::{UnixDatagram, UnixListener},
    },
    path::Path,
    sync::{
        Barrier,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use nix::{
    fcntl::{Flock, FlockArg},
    unistd::{Gid, Uid, geteuid},
};
use tempfile::TempDir;
use tlsrpt_socket::{BindError, Listening, LocalSocket, NameAtEnd, Owner, PathOptions};

const REMOVED: PathOptions = PathOptions { mode: 0o622, owner: None, name: NameAtEnd::Removed };
const KEPT: PathOptions = PathOptions { mode: 0o600, owner: None, name: NameAtEnd::Kept };
/// How long a test repeats a race until it has happened. Usually a few tries are enough.
const PATIENCE: Duration = Duration::from_secs(60);

fn bind(path: &Path, options: &PathOptions) -> Result<Listening<UnixDatagram>, BindError> {
    Listening::bind(path, options)
}

fn names(directory: &TempDir) -> Vec<String> {
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    let mut names: Vec<_> = fs::read_dir(directory.path()).unwrap().map(name).collect();
    names.sort();
    names
}

/// A socket file that no process has open.
fn leave_stale<S: LocalSocket>(path: &Path) {
    drop(Listening::<S>::bind(path, &KEPT).unwrap());
    assert!(fs::symlink_metadata(path).unwrap().file_type().is_socket());
}

#[test]
fn the_mode_is_exact_and_nothing_else_is_left() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    for mode in [0o622, 0o600, 0o777, 0] {
        let listening = bind(&path, &PathOptions { mode, ..REMOVED }).unwrap();
        assert_eq!(fs::symlink_metadata(&path).unwrap().permissions().mode() & 0o7777, mode);
        assert_eq!(names(&directory), ["s"]);
        assert!(listening.is_at(&path) && !listening.is_passed());
        drop(listening);
        assert_eq!(names(&directory), [""; 0]);
    }
}

#[test]
fn the_system_shows_the_path_as_it_was_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    leave_stale::<UnixDatagram>(&path);
    let listening = bind(&path, &REMOVED).unwrap();
    assert_eq!(listening.socket().local_addr().unwrap().as_pathname(), Some(&*path));
}

/// Replaces each new socket at `path` with a symbolic link to `target`, until it is stopped.
fn swap(path: &Path, target: &Path, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let Ok(metadata) = fs::symlink_metadata(path) else { continue };
        let _ = fs::remove_file(path);
        if metadata.file_type().is_socket() {
            let _ = symlink(target, path);
        }
    }
}

/// The thread that replaces the socket has the same user, so that root does not refuse the directory.
#[test]
fn a_link_that_takes_the_place_of_the_new_socket_is_not_followed() {
    let directory = tempfile::tempdir().unwrap();
    let (path, target) = (directory.path().join("s"), directory.path().join("precious"));
    fs::write(&target, "precious").unwrap();
    fs::set_permissions(&target, Permissions::from_mode(0o600)).unwrap();
    let before = fs::metadata(&target).unwrap();
    let other_user = Owner { user: Some(Uid::from_raw(65534)), group: Some(Gid::from_raw(65534)) };
    let owner = geteuid().is_root().then_some(other_user);
    let stop = AtomicBool::new(false);
    let mut replaced = 0;
    thread::scope(|scope| {
        scope.spawn(|| swap(&path, &target, &stop));
        let end = Instant::now() + PATIENCE;
        while replaced < 20 && Instant::now() < end {
            replaced +=
                u32::from(matches!(bind(&path, &PathOptions { owner, ..REMOVED }), Err(BindError::Replaced(..))));
        }
        stop.store(true, Ordering::Relaxed);
    });
    let after = fs::metadata(&target).unwrap();
    assert_eq!((after.mode(), after.uid(), after.gid()), (before.mode(), before.uid(), before.gid()));
    assert_eq!(replaced, 20, "the link never took the place of a new socket");
}

#[test]
fn only_a_stale_socket_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    let refusal = |options| bind(&path, options).unwrap_err().to_string();
    for options in [&REMOVED, &KEPT] {
        fs::write(&path, "precious").unwrap();
        assert_eq!(refusal(options), format!("{} is a regular file: refusing to replace it", path.display()));
        assert_eq!(fs::read(&path).unwrap(), b"precious");
        fs::remove_file(&path).unwrap();
        symlink("elsewhere", &path).unwrap();
        assert_eq!(refusal(options), format!("{} is a symbolic link: refusing to replace it", path.display()));
        fs::remove_file(&path).unwrap();
        let datagrams = UnixDatagram::bind(&path).unwrap();
        assert!(refusal(options).contains("another process listens there"));
        fs::remove_file(&path).unwrap();
        drop(datagrams);
        let streams = UnixListener::bind(&path).unwrap();
        streams.set_nonblocking(true).unwrap();
        assert!(refusal(options).contains("another process listens there"));
        assert_eq!(streams.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
        drop(streams);
        bind(&path, options).unwrap();
        let _ = fs::remove_file(&path);
    }
    assert_eq!(names(&directory), [""; 0]);
}

#[test]
fn a_file_of_another_process_is_not_removed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    let listening = bind(&path, &REMOVED).unwrap();
    fs::remove_file(&path).unwrap();
    fs::write(&path, "precious").unwrap();
    assert!(!listening.is_at(&path));
    drop(listening);
    assert_eq!(fs::read(&path).unwrap(), b"precious");
    fs::remove_file(&path).unwrap();
    leave_stale::<UnixDatagram>(&path);
    let beside = format!(".tlsrpt-{}.new", std::process::id());
    fs::write(directory.path().join(&beside), "precious").unwrap();
    assert!(matches!(bind(&path, &KEPT), Err(BindError::Bind(..))));
    assert_eq!(fs::read(directory.path().join(&beside)).unwrap(), b"precious");
    assert_eq!(names(&directory), [&beside, "s"]);
}

/// Binds in eight threads at once. Returns how many of them listen.
fn bind_at_once<S: LocalSocket + Sync>(path: &Path, options: &PathOptions) -> usize {
    let barrier = Barrier::new(8);
    let attempt = || {
        barrier.wait();
        Listening::<S>::bind(path, options)
    };
    thread::scope(|scope| {
        let attempts: Vec<_> = (0..8).map(|_| scope.spawn(attempt)).collect();
        let outcomes: Vec<_> = attempts.into_iter().map(|attempt| attempt.join().unwrap()).collect();
        let is_refusal = |outcome: &&Result<_, _>| {
            matches!(outcome, Err(BindError::Locked(_) | BindError::InUse(_) | BindError::Bind(..)))
        };
        let listening = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(outcomes.iter().filter(is_refusal).count(), 8 - listening);
        listening
    })
}

#[test]
fn of_several_that_start_at_once_one_listens() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    for _ in 0..20 {
        leave_stale::<UnixDatagram>(&path);
        assert_eq!(bind_at_once::<UnixDatagram>(&path, &REMOVED), 1);
        leave_stale::<UnixListener>(&path);
        assert_eq!(bind_at_once::<UnixListener>(&path, &KEPT), 1);
        fs::remove_file(&path).unwrap();
    }
    assert_eq!(names(&directory), [""; 0]);
}

#[test]
fn a_lock_on_the_directory_has_no_effect() {
    let directory = tempfile::tempdir().unwrap();
    let _lock = Flock::lock(File::open(directory.path()).unwrap(), FlockArg::LockExclusive).unwrap();
    bind(&directory.path().join("s"), &REMOVED).unwrap();
}

#[test]
fn a_lock_file_that_is_locked_or_foreign_is_an_error_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let (path, file) = (directory.path().join("s"), directory.path().join(".s.lock"));
    fs::write(&file, "").unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    let refusal = bind(&path, &REMOVED).unwrap_err().to_string();
    assert!(refusal.starts_with("cannot lock ") && refusal.ends_with("; remove that file"), "{refusal}");
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    let lock = Flock::lock(File::open(&file).unwrap(), FlockArg::LockExclusive).unwrap();
    assert!(matches!(bind(&path, &REMOVED), Err(BindError::Locked(_))));
    assert_eq!(names(&directory), [".s.lock"]);
    drop(lock);
    let _listening = bind(&path, &REMOVED).unwrap();
    assert_eq!(names(&directory), ["s"]);
}

#[test]
fn a_name_that_is_kept_is_there_at_any_time() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    leave_stale::<UnixListener>(&path);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let looks = scope.spawn(|| {
            let mut looks = 0_u64;
            while !stop.load(Ordering::Relaxed) {
                assert!(path.exists(), "after {looks} looks");
                looks += 1;
            }
            looks
        });
        for _ in 0..100 {
            leave_stale::<UnixListener>(&path);
        }
        stop.store(true, Ordering::Relaxed);
        assert!(looks.join().unwrap() > 0);
    });
    assert_eq!(names(&directory), ["s"]);
}

#[test]
fn the_longest_path_can_be_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let name = "s".repeat(tlsrpt_socket::LONGEST_NAME - directory.path().as_os_str().len() - 1);
    let path = directory.path().join(name);
    leave_stale::<UnixListener>(&path);
    let listening = Listening::<UnixListener>::bind(&path, &KEPT).unwrap();
    std::os::unix::net::UnixStream::connect(&path).unwrap();
    drop(listening);
    let too_long = path.with_file_name("s".repeat(200));
    let refusal = bind(&too_long, &REMOVED).unwrap_err().to_string();
    assert!(refusal.starts_with("cannot listen at "), "{refusal}");
    assert_eq!(names(&directory), [path.file_name().and_then(OsStr::to_str).unwrap()]);
}

#[test]
fn a_path_that_cannot_be_a_socket_is_an_error() {
    for path in ["/", "..", "/no/such/directory/s"] {
        let refusal = bind(Path::new(path), &REMOVED).unwrap_err().to_string();
        assert!(refusal.starts_with(&format!("cannot listen at {path}: ")), "{refusal}");
    }
}
