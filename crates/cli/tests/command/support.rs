//! Helpers that run the command and its counterparts.

use std::{
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader, ErrorKind, Read},
    os::{
        fd::{AsFd, AsRawFd},
        unix::net::UnixDatagram,
    },
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, Output, Stdio},
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread,
    time::{Duration, Instant},
};

use nix::{
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        signal::{Signal, kill},
        wait::{WaitPidFlag, waitpid},
    },
    unistd::Pid,
};
use tempfile::TempDir;

pub(crate) const RECORD: &str = "v=TLSRPTv1; rua=mailto:tls@example.org";
/// A short valid datagram.
pub(crate) const SMALL: &str = r#"{"dpv": "1","d": "a.example","pr": "","policies":[{"policy-type":9,"t":0,"f":0}]}"#;
/// The deadline of each wait. Only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(30);
/// The deadline of a whole test.
const LONGEST_TEST: Duration = Duration::from_secs(120);

pub(crate) fn tlsrpt() -> Command {
    Command::new(env!("CARGO_BIN_EXE_tlsrpt"))
}

pub(crate) fn run<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Output {
    tlsrpt().args(arguments).output().unwrap()
}

/// Runs the command. Asserts exit code 0 and an empty standard error. Returns its standard output.
pub(crate) fn run_well<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> String {
    let output = run(arguments);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    text(&output.stdout).to_string()
}

/// Runs the command. Asserts the exit code, an empty standard output, and one line on standard error. Returns that line.
pub(crate) fn run_badly<S: AsRef<OsStr>>(code: i32, arguments: impl IntoIterator<Item = S>) -> String {
    let output = run(arguments);
    let said = text(&output.stderr);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(code), ""), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    said.strip_prefix("tlsrpt: ").unwrap_or_else(|| panic!("{said}")).trim_end().to_string()
}

/// The visible subcommands, from the help of the whole command.
pub(crate) fn subcommands() -> Vec<String> {
    let help = run_well(["--help"]);
    let groups = help.split("\n\n").nth(1).unwrap();
    let rows = groups.lines().filter(|line| !line.starts_with("tlsrpt"));
    rows.map(|line| line[10..].split_whitespace().next().unwrap().to_owned()).collect()
}

pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Closes the socket at `path` and waits until no process has it open. A child that another test has just forked has a copy of
/// all descriptors until it executes its program.
pub(crate) fn close_for_good<T>(socket: T, path: &Path) {
    drop(socket);
    let end = Instant::now() + PATIENCE;
    let is_open = || {
        let connected = UnixDatagram::unbound().unwrap().connect(path);
        !connected.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
    };
    while is_open() {
        assert!(Instant::now() < end, "{} stays open", path.display());
        thread::yield_now();
    }
}

pub(crate) fn directory() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// A collector in the test: it reads a datagram only in [`Collector::next`].
pub(crate) struct Collector(UnixDatagram);

impl Collector {
    pub(crate) fn bind(path: &Path) -> Self {
        let socket = UnixDatagram::bind(path).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(socket)
    }

    pub(crate) fn next(&self) -> Vec<u8> {
        let mut buffer = vec![0; 1 << 20];
        let len = loop {
            match self.0.recv(&mut buffer) {
                // A call with a time-out returns this after the process was stopped and continued.
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                outcome => break outcome.unwrap(),
            }
        };
        buffer.truncate(len);
        buffer
    }

    /// Sends to the socket at `path` until its queue is full. Returns the number of datagrams. Each has its own socket, so
    /// that the send buffer is no limit.
    pub(crate) fn fill(path: &Path) -> usize {
        let send = |_: &usize| {
            let socket = UnixDatagram::unbound().unwrap();
            socket.set_nonblocking(true).unwrap();
            socket.send_to(SMALL.as_bytes(), path).is_ok()
        };
        (0..).take_while(send).count()
    }
}

/// A collector in another process, which has bound its socket by a name relative to its own directory.
pub(crate) struct RelativeCollector(Child);

impl Collector {
    pub(crate) fn bind_relative(directory: &Path, name: &str) -> RelativeCollector {
        const PROGRAM: &str = "
import socket, sys
collector = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
collector.bind(sys.argv[1])
print(flush=True)
sys.stdin.read()
";
        let mut command = Command::new("python3");
        command.current_dir(directory).args(["-c", PROGRAM, name]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut String::new()).unwrap();
        RelativeCollector(child)
    }
}

impl Drop for RelativeCollector {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// Kills the process unless the returned sender is dropped before.
fn kill_after_the_longest_test(process: Pid) -> Sender<()> {
    let (watched, ended) = mpsc::channel();
    thread::spawn(move || {
        if ended.recv_timeout(LONGEST_TEST) == Err(RecvTimeoutError::Timeout) {
            let _ = kill(process, Signal::SIGKILL);
        }
    });
    watched
}

/// A running `tlsrpt listen`. It is killed if a test takes longer than [`LONGEST_TEST`], so that no read blocks for ever.
pub(crate) struct Listener {
    child: Child,
    /// Dropped at the end of the test, which ends the thread that waits to kill the process.
    _watched: Sender<()>,
    said: BufReader<ChildStderr>,
    pub(crate) socket: PathBuf,
    /// The length of its queue in datagrams, from its message.
    pub(crate) queue: usize,
}

impl Listener {
    /// Starts `tlsrpt listen` at `socket` and waits until it listens.
    pub(crate) fn start<S: AsRef<OsStr>>(socket: &Path, arguments: impl IntoIterator<Item = S>) -> Self {
        Self::start_writing_to(socket, arguments, Stdio::piped())
    }

    pub(crate) fn start_writing_to<S: AsRef<OsStr>>(
        socket: &Path,
        arguments: impl IntoIterator<Item = S>,
        output: Stdio,
    ) -> Self {
        let mut command = tlsrpt();
        command.arg("listen").arg("--socket").arg(socket).args(arguments).stdout(output);
        Self::spawn(command, socket)
    }

    /// Runs a command that starts `tlsrpt listen` at `socket`, and waits until it listens.
    pub(crate) fn spawn(mut command: Command, socket: &Path) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(child.stderr.take().unwrap());
        let watched = kill_after_the_longest_test(Pid::from_raw(child.id().try_into().unwrap()));
        let mut listener = Self { child, _watched: watched, said, socket: socket.into(), queue: 0 };
        let line = listener.says();
        let queue = line.strip_prefix(&format!("listening at {}, with a queue of ", socket.display()));
        let queue = queue.and_then(|rest| rest.strip_suffix(" datagrams"));
        listener.queue = queue.unwrap_or_else(|| panic!("{line}")).parse().unwrap();
        listener
    }

    /// The next line on its standard error.
    pub(crate) fn says(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        line.strip_prefix("tlsrpt: ").unwrap_or_else(|| panic!("{line:?}")).trim_end().to_string()
    }

    pub(crate) fn send(&self, datagram: impl AsRef<[u8]>) {
        UnixDatagram::unbound().unwrap().send_to(datagram.as_ref(), &self.socket).unwrap();
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    /// Stops the process until it gets SIGCONT.
    pub(crate) fn stop(&self) {
        self.signal(Signal::SIGSTOP);
        waitpid(self.pid(), Some(WaitPidFlag::WUNTRACED)).unwrap();
    }

    /// The peak of its resident memory in KiB.
    pub(crate) fn most_memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
    }

    /// Waits for its end without reading its output. Returns the exit code. Fails after the deadline.
    pub(crate) fn end_unread(mut self) -> Option<i32> {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            if Instant::now() > end {
                self.child.kill().unwrap();
                panic!("the listener did not end");
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap())
    }

    /// The next line on its standard output.
    pub(crate) fn shows(&mut self) -> String {
        let mut line = Vec::new();
        let out = self.child.stdout.as_mut().unwrap();
        let mut byte = [0];
        loop {
            assert_eq!(out.read(&mut byte).unwrap(), 1, "standard output is closed");
            if byte == *b"\n" {
                break;
            }
            line.extend(byte);
        }
        String::from_utf8(line).unwrap()
    }

    /// Whether there is something to read on its standard output.
    pub(crate) fn has_output(&self) -> bool {
        let mut awaited = [PollFd::new(self.child.stdout.as_ref().unwrap().as_fd(), PollFlags::POLLIN)];
        poll(&mut awaited, PollTimeout::ZERO).unwrap() > 0
    }

    /// Closes the pipe of its standard output, so that it cannot write any more.
    pub(crate) fn stop_looking(&mut self) {
        let out = self.child.stdout.take().unwrap();
        let pipe = fs::read_link(format!("/proc/self/fd/{}", out.as_raw_fd())).unwrap();
        drop(out);
        let end = Instant::now() + PATIENCE;
        while self.another_process_has(&pipe) {
            assert!(Instant::now() < end, "{} stays open", pipe.display());
            thread::yield_now();
        }
    }

    /// Whether a process other than the listener has this pipe open. A child that another thread starts has all descriptors until it
    /// executes its program.
    fn another_process_has(&self, pipe: &Path) -> bool {
        let own = self.child.id().to_string();
        let processes = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
        let others = processes.filter(|process| !process.ends_with(&own));
        others.filter_map(|process| fs::read_dir(process.join("fd")).ok()).any(|descriptors| {
            descriptors.flatten().any(|descriptor| fs::read_link(descriptor.path()).is_ok_and(|open| open == pipe))
        })
    }

    /// Waits for its end. Returns its exit code, its standard output, and the rest of its standard error.
    pub(crate) fn end(mut self) -> (Option<i32>, String, String) {
        let out = self.child.stdout.take();
        let reading = thread::spawn(move || {
            let mut shown = String::new();
            if let Some(mut out) = out {
                out.read_to_string(&mut shown).unwrap();
            }
            shown
        });
        let mut said = String::new();
        self.said.read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap().code(), reading.join().unwrap(), said)
    }

    /// Ends it by SIGTERM and asserts exit code 0. Returns its standard output.
    pub(crate) fn end_well(self) -> String {
        self.signal(Signal::SIGTERM);
        let socket = self.socket.clone();
        let (code, shown, said) = self.end();
        assert_eq!(code, Some(0), "{said}");
        assert!(!socket.exists());
        shown
    }
}

/// Mode, owner and group of the socket file.
pub(crate) fn mode_and_owner(path: &Path) -> (u32, u32, u32) {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let metadata = fs::symlink_metadata(path).unwrap();
    (metadata.permissions().mode() & 0o7777, metadata.uid(), metadata.gid())
}

/// Runs the command as an unprivileged user, from a copy in `directory`, which that user can reach.
pub(crate) fn as_stranger(directory: &Path, arguments: &[String]) -> Output {
    use std::os::unix::{fs::PermissionsExt, process::CommandExt};
    const NOBODY: u32 = 65534;
    let everybody = || fs::Permissions::from_mode(0o755);
    let program = directory.join("tlsrpt");
    // cp copies it in a process of its own: a child that another thread forks meanwhile would inherit the file while it is open to
    // write, and it could not be executed (ETXTBSY).
    assert!(Command::new("cp").arg(env!("CARGO_BIN_EXE_tlsrpt")).arg(&program).status().unwrap().success());
    fs::set_permissions(&program, everybody()).unwrap();
    fs::set_permissions(directory, everybody()).unwrap();
    let mut command = Command::new(program);
    if nix::unistd::geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command.args(arguments).output().unwrap()
}
