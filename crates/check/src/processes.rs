//! Processes of this host, as `/proc` shows them to this user.

use std::{
    collections::HashSet,
    fs,
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use crate::bounded;

/// The local sockets of the network namespace of this process, and of another one.
const SOCKETS: &str = "net/unix";
/// How long all processes are looked through.
const LONGEST: Duration = Duration::from_secs(2);
/// The type of datagram sockets in [`SOCKETS`].
const DATAGRAM: &[u8] = b"0002";

/// A process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) id: u32,
    pub(crate) name: String,
    /// One letter, see proc_pid_stat(5): `T` is stopped.
    pub(crate) state: char,
}

/// A datagram socket with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bound {
    /// The name as its owner bound it.
    pub(crate) name: PathBuf,
    /// Its number in `/proc/*/fd`.
    pub(crate) inode: u64,
}

fn file(id: u32, name: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{id}/{name}"))
}

/// The states of a process that has ended and whose parent has not asked for its exit code yet.
const ENDED: [char; 2] = ['Z', 'X'];
/// How often the states of threads are looked at, and what is between two looks.
const LOOKS: u32 = 5;
const BETWEEN_LOOKS: Duration = Duration::from_millis(150);

fn name(id: u32) -> Option<String> {
    Some(bounded::read_text(&file(id, "comm")).ok()?.trim_end().to_owned())
}

/// The name of a process that runs.
pub(crate) fn name_of_running(id: u32) -> Option<String> {
    Some(process(id)?.name)
}

/// The numbers of all processes.
fn all() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The processes whose name begins with this text.
pub(crate) fn named(start: &str) -> Vec<Process> {
    all().filter(|id| name(*id).is_some_and(|name| name.starts_with(start))).filter_map(process).collect()
}

/// The words of the command line of a process.
pub(crate) fn words(id: u32) -> Vec<String> {
    let text = bounded::read(&file(id, "cmdline")).unwrap_or_default();
    text.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

/// The process whose name begins with this text and whose command line has such a word.
pub(crate) fn running(start: &str, is_word: impl Fn(&str) -> bool) -> Option<u32> {
    named(start).into_iter().map(|process| process.id).find(|id| words(*id).iter().any(|word| is_word(word)))
}

/// The children of a process.
pub(crate) fn children(parent: u32) -> Vec<Process> {
    all().filter(|id| stat(*id).is_some_and(|(_, found)| found == parent)).filter_map(process).collect()
}

/// A process that has not ended.
fn process(id: u32) -> Option<Process> {
    let state = stat(id)?.0;
    (!ENDED.contains(&state)).then_some(Process { id, name: name(id)?, state })
}

/// Whether a process is stopped, by a signal or a debugger.
pub(crate) fn is_stopped(id: u32) -> bool {
    process(id).is_some_and(|process| process.is_stopped())
}

impl Process {
    /// Whether it is stopped.
    pub(crate) fn is_stopped(&self) -> bool {
        matches!(self.state, 'T' | 't')
    }
}

/// How often the threads of a process were taken off a processor, since they began. It grows while one of them runs.
pub(crate) fn turns(id: u32) -> u64 {
    const COUNTERS: [&str; 2] = ["voluntary_ctxt_switches:", "nonvoluntary_ctxt_switches:"];
    let of_thread = |thread: u32| -> u64 {
        let text = bounded::read_text(&file(id, &format!("task/{thread}/status"))).unwrap_or_default();
        let numbers = text.lines().filter_map(|line| COUNTERS.iter().find_map(|name| line.strip_prefix(name)));
        numbers.filter_map(|number| number.trim().parse::<u64>().ok()).sum()
    };
    threads(id).map(of_thread).sum()
}

fn threads(id: u32) -> impl Iterator<Item = u32> {
    let entries = fs::read_dir(file(id, "task")).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Whether one of the threads of a process waits for a device at each of some looks: for a disk or a file system of the
/// network that does not answer.
pub(crate) fn waits_for_a_device(id: u32) -> bool {
    let mut waiting = waiting_threads(id);
    for _ in 1..LOOKS {
        if waiting.is_empty() {
            return false;
        }
        thread::sleep(BETWEEN_LOOKS);
        let now = waiting_threads(id);
        waiting.retain(|thread| now.contains(thread));
    }
    !waiting.is_empty()
}

/// The threads in the state D.
fn waiting_threads(id: u32) -> Vec<u32> {
    threads(id)
        .filter(|thread| state(&file(id, &format!("task/{thread}/stat"))).is_some_and(|(state, _)| state == 'D'))
        .collect()
}

/// State and parent: the fields after the name, which may hold any character.
fn stat(id: u32) -> Option<(char, u32)> {
    state(&file(id, "stat"))
}

fn state(file: &Path) -> Option<(char, u32)> {
    let text = bounded::read_text(file).ok()?;
    let mut fields = text.rsplit_once(") ")?.1.split(' ');
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

/// The files that a process has mapped and whose name has this text, each once. Linux adds ` (deleted)` to a file that
/// is not there any more.
pub(crate) fn mapped(id: u32, text: &str) -> Vec<String> {
    let maps = bounded::read_text(&file(id, "maps")).unwrap_or_default();
    let mut files: Vec<String> = Vec::new();
    for line in maps.lines().filter(|line| line.contains(text)) {
        let Some(path) = line.find('/').map(|start| line[start..].to_owned()) else { continue };
        if !files.contains(&path) {
            files.push(path);
        }
    }
    files
}

/// The named datagram sockets of the network namespace of this process.
pub(crate) fn bound_here() -> Vec<Bound> {
    bound_in(&bounded::read(&file(std::process::id(), SOCKETS)).unwrap_or_default()).collect()
}

/// The named datagram sockets of all network namespaces that this user may see.
pub(crate) fn bound_sockets() -> Vec<Bound> {
    let end = Instant::now() + LONGEST;
    let mut seen = HashSet::new();
    let mut bound = Vec::new();
    for id in std::iter::once(std::process::id()).chain(all()) {
        let Ok(namespace) = fs::read_link(file(id, "ns/net")) else { continue };
        if !seen.insert(namespace) {
            continue;
        }
        let listing = bounded::read(&file(id, SOCKETS)).unwrap_or_default();
        bound.extend(bound_in(&listing));
        if Instant::now() > end {
            break;
        }
    }
    bound
}

/// The named datagram sockets in the text of [`SOCKETS`].
fn bound_in(listing: &[u8]) -> impl Iterator<Item = Bound> {
    listing.split(|byte| *byte == b'\n').filter_map(of_line)
}

/// A line of [`SOCKETS`], `Num RefCount Protocol Flags Type St Inode Path`. The path may have spaces itself.
fn of_line(line: &[u8]) -> Option<Bound> {
    let mut rest = line;
    let mut fields = [&line[..0]; 7];
    for field in &mut fields {
        rest = rest.trim_ascii_start();
        let end = rest.iter().position(|byte| *byte == b' ')?;
        (*field, rest) = rest.split_at_checked(end)?;
    }
    let path = rest.strip_prefix(b" ")?;
    if fields[4] != DATAGRAM || path.is_empty() || path.starts_with(b"@") {
        return None;
    }
    let inode = std::str::from_utf8(fields[6]).ok()?.parse().ok()?;
    Some(Bound { name: Path::new(std::ffi::OsStr::from_bytes(path)).into(), inode })
}

/// The processes that have the socket of this path open. Empty if this user may not see them.
pub(crate) fn holders(path: &Path) -> Vec<Process> {
    let Some(name) = path.file_name() else { return Vec::new() };
    let Ok(wanted) = fs::metadata(path) else { return Vec::new() };
    let sockets = bound_sockets().into_iter().filter(|socket| socket.name.file_name() == Some(name));
    let links: Vec<_> =
        sockets.map(|socket| (PathBuf::from(format!("socket:[{}]", socket.inode)), socket.name)).collect();
    if links.is_empty() {
        return Vec::new();
    }
    let end = Instant::now() + LONGEST;
    let mut holders = Vec::new();
    for id in all() {
        if Instant::now() > end {
            break;
        }
        let open: HashSet<_> = fs::read_dir(file(id, "fd"))
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| fs::read_link(entry.path()).ok())
            .collect();
        let same = |(link, name): &(PathBuf, PathBuf)| open.contains(link) && is_same(id, name, &wanted);
        if links.iter().any(same) {
            holders.extend(process(id));
        }
    }
    holders
}

/// Whether the name means this file to the process. A name that it cannot reach (it is bound by another process, or the
/// directory is another one by now) is taken as the same.
fn is_same(id: u32, name: &Path, wanted: &fs::Metadata) -> bool {
    let seen = match name.strip_prefix("/") {
        Ok(below) => file(id, "root").join(below),
        Err(_) => file(id, "cwd").join(name),
    };
    fs::metadata(seen).map_or(true, |found| (found.dev(), found.ino()) == (wanted.dev(), wanted.ino()))
}

#[cfg(test)]
mod tests {
    use std::{os::unix::net::UnixDatagram, path::Path, process::Command};

    use super::{
        Bound, bound_sockets, holders, mapped, name, name_of_running, named, of_line, stat, waits_for_a_device, words,
    };

    #[test]
    fn names_in_the_list_of_sockets() {
        let line = |kind: &str, name: &str| {
            of_line(format!("0000000000000000: 00000002 00000000 00010000 {kind} 01    42{name}").as_bytes())
        };
        let bound = |name: &str| Some(Bound { name: Path::new(name).into(), inode: 42 });
        assert_eq!(line("0002", " /run/a  b "), bound("/run/a  b "));
        assert_eq!(line("0002", "  leading"), bound(" leading"));
        for (kind, name) in [("0002", ""), ("0002", " @abstract"), ("0001", " /run/stream")] {
            assert_eq!(line(kind, name), None);
        }
        assert_eq!(of_line(b""), None);
    }

    #[test]
    fn the_process_that_holds_a_socket_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("held");
        assert_eq!(holders(&path), []);
        let _socket = UnixDatagram::bind(&path).unwrap();
        assert!(bound_sockets().iter().any(|socket| socket.name == path));
        let found = holders(&path);
        assert!(found.iter().any(|process| process.id == std::process::id()), "{found:?}");
    }

    #[test]
    fn a_process_is_found_by_its_name_and_has_its_words() {
        let own = name(std::process::id()).unwrap();
        assert!(named(&own).iter().any(|process| process.id == std::process::id()));
        assert_eq!(words(std::process::id())[0], std::env::args().next().unwrap());
        assert_eq!(named("no-such-process"), []);
    }

    #[test]
    fn a_process_that_has_ended_does_not_run() {
        let mut child =
            Command::new("sh").args(["-c", "read line"]).stdin(std::process::Stdio::piped()).spawn().unwrap();
        let id = child.id();
        assert!(name_of_running(id).is_some());
        drop(child.stdin.take());
        while stat(id).unwrap().0 != 'Z' {
            std::thread::yield_now();
        }
        assert_eq!(name_of_running(id), None);
        assert!(name(id).is_some(), "it is not waited for");
        child.wait().unwrap();
    }

    #[test]
    fn a_process_that_runs_waits_for_no_device() {
        assert!(!waits_for_a_device(std::process::id()));
    }

    #[test]
    fn what_a_process_has_mapped() {
        let own = mapped(std::process::id(), "libc.so");
        assert_eq!(own.len(), 1, "{own:?}");
        assert_eq!(stat(std::process::id()).unwrap().1, std::os::unix::process::parent_id());
    }
}
