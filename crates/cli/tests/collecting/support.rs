//! A collector with its directory and its store.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::{fd::OwnedFd, unix::net::UnixDatagram},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sched::{CloneFlags, unshare},
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;
use tlsrpt_store::{DayCounts, Reader, Url, open_reader};

/// The deadline of each wait. Only a failing test waits so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// The command under test: the file that `TLSRPT_COMMAND` names, such as an optimized one, or the one that cargo built.
pub(crate) fn program() -> PathBuf {
    std::env::var_os("TLSRPT_COMMAND").map_or_else(|| env!("CARGO_BIN_EXE_tlsrpt").into(), PathBuf::from)
}

/// A valid datagram.
pub(crate) fn event(domain: &str) -> String {
    format!(
        r#"{{"dpv":"1","d":"{domain}","pr":"v=TLSRPTv1;rua=mailto:t@a.example","policies":[{{"policy-type":9,"t":0,"f":0}}]}}"#
    )
}

/// A directory with a configuration, a socket and a store.
pub(crate) struct Place {
    directory: TempDir,
}

impl Place {
    pub(crate) fn new(collect: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let place = Self { directory };
        place.configure(collect, &place.store());
        place
    }

    /// Writes the configuration, with further lines for `[collect]` and the path of the store.
    pub(crate) fn configure(&self, collect: &str, store: &Path) {
        let socket = self.socket();
        let text = format!(
            "[collect]\nsocket = {socket:?}\nsocket-group = \"0\"\n{collect}\n[store]\nurl = \"sqlite:{}\"\n",
            store.display()
        );
        fs::write(self.path("tlsrpt.toml"), text).unwrap();
    }

    /// Adds a line to the last section, `[store]`.
    pub(crate) fn add_to_configuration(&self, line: &str) {
        let file = self.path("tlsrpt.toml");
        fs::write(&file, fs::read_to_string(&file).unwrap() + line + "\n").unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.path("s")
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.path("tlsrpt.db")
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(program());
        command.arg("collect").arg("--config").arg(self.path("tlsrpt.toml")).stderr(Stdio::piped());
        command
    }

    pub(crate) fn start(&self) -> Collector {
        Collector::started(self.command())
    }

    /// Starts a collector and passes it a socket that this process holds, as a service manager does.
    pub(crate) fn start_with(&self, held: &UnixDatagram) -> Collector {
        let mut command = Command::new("sh");
        let script = "LISTEN_FDS=1 LISTEN_PID=$$ exec \"$@\" 3<&0 </dev/null";
        command.args(["-c", script, "sh"]).arg(program()).args(["collect", "--config"]);
        command.arg(self.path("tlsrpt.toml")).stderr(Stdio::piped());
        command.stdin(OwnedFd::from(held.try_clone().unwrap()));
        Collector::started(command)
    }

    pub(crate) fn reader(&self) -> Box<dyn Reader> {
        open_reader(&Url::Sqlite(self.store())).unwrap()
    }

    /// The sum of all days.
    pub(crate) fn totals(&self) -> Totals {
        totals(&self.reader().days().unwrap())
    }

    /// Waits until the store has at least this number of events.
    pub(crate) fn wait_for_events(&self, events: u64) {
        let mut reader = self.reader();
        until(|| totals(&reader.days().unwrap()).events >= events);
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) events: u64,
    pub(crate) invalid: u64,
    pub(crate) dropped: u64,
}

fn totals(days: &[DayCounts]) -> Totals {
    days.iter().fold(Totals::default(), |sum, day| Totals {
        events: sum.events + day.events,
        invalid: sum.invalid + day.invalid,
        dropped: sum.dropped + day.dropped,
    })
}

/// Waits until the condition is true. Fails after the deadline.
pub(crate) fn until(mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < end, "the awaited condition did not become true");
        thread::sleep(Duration::from_millis(1));
    }
}

/// The socket of a service manager, with a queue of this length.
pub(crate) fn held_socket(path: &Path, queue: u32) -> UnixDatagram {
    let (path, setting) = (path.to_path_buf(), "/proc/sys/net/unix/max_dgram_qlen");
    // Only this thread moves to a new network namespace. The socket keeps its queue length after the thread has ended.
    let made = thread::spawn(move || {
        unshare(CloneFlags::CLONE_NEWNET).expect("root is needed to make a network namespace");
        fs::write(setting, queue.to_string()).unwrap();
        UnixDatagram::bind(path).unwrap()
    });
    made.join().unwrap()
}

/// The number of datagrams in the queue of the held socket, which the next collector would receive.
pub(crate) fn waiting_in(held: &UnixDatagram) -> u64 {
    held.set_nonblocking(true).unwrap();
    let mut buffer = vec![0; 1 << 20];
    (0..).take_while(|_| held.recv(&mut buffer).is_ok()).count() as u64
}

/// A child process. It is killed when this value is dropped, also by a test that fails.
pub(crate) struct Process(pub(crate) Child);

impl Process {
    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.0.id()).unwrap()), signal).unwrap();
    }

    /// Waits for its end. Returns its exit code. Fails after the deadline.
    pub(crate) fn exit_code(&mut self) -> Option<i32> {
        let mut status = None;
        until(|| {
            status = self.0.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap().code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only if the process has ended and was waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A running collector.
pub(crate) struct Collector {
    process: Process,
    /// The lines of its standard error.
    lines: Receiver<String>,
}

impl Collector {
    /// Waits until it listens.
    pub(crate) fn started(command: Command) -> Self {
        let mut collector = Self::spawn(command);
        collector.says("listening at ");
        collector
    }

    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut process = Process(command.spawn().unwrap());
        let messages = BufReader::new(process.0.stderr.take().unwrap());
        let (line, lines) = mpsc::channel();
        thread::spawn(move || messages.lines().map_while(Result::ok).try_for_each(|text| line.send(text)));
        Self { process, lines }
    }

    /// The next line that contains this text. Fails after the deadline, and if the collector ends.
    pub(crate) fn says(&mut self, text: &str) -> String {
        let (end, mut all) = (Instant::now() + PATIENCE, String::new());
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) if line.contains(text) => return line,
                Ok(line) => all.extend([&line, "\n"]),
                Err(RecvTimeoutError::Timeout) => panic!("no line has {text:?} within {PATIENCE:?}:\n{all}"),
                Err(RecvTimeoutError::Disconnected) => panic!("it ended without a line that has {text:?}:\n{all}"),
            }
        }
    }

    pub(crate) fn send(&self, place: &Place, datagram: impl AsRef<[u8]>) {
        UnixDatagram::unbound().unwrap().send_to(datagram.as_ref(), place.socket()).unwrap();
    }

    pub(crate) fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// The value of a line of `/proc/PID/status`, in KiB.
    pub(crate) fn memory(&self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.0.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim_matches(|character: char| !character.is_ascii_digit()).parse().unwrap()
    }

    /// Waits for its end. Returns its exit code and the rest of its standard error.
    pub(crate) fn wait(mut self) -> (Option<i32>, String) {
        let code = self.process.exit_code();
        (code, self.lines.iter().map(|line| line + "\n").collect())
    }

    /// Ends it by SIGTERM. Asserts that nothing was dropped or lost.
    pub(crate) fn end(self) {
        self.signal(Signal::SIGTERM);
        let (code, said) = self.wait();
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains(" 0 dropped, 0 lost"), "{said}");
    }
}
