//! A collector, its place and its store.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::{fd::OwnedFd, unix::net::UnixDatagram},
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, Stdio},
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

/// How long to wait for what must happen. Nothing waits as long unless it fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// The command under test: that of `TLSRPT_COMMAND`, such as an optimized one, or cargo's.
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

    /// Writes the configuration: more lines for `[collect]`, and where the store is.
    pub(crate) fn configure(&self, collect: &str, store: &Path) {
        let socket = self.socket();
        let text = format!(
            "[collect]\nsocket = {socket:?}\nsocket-group = \"0\"\n{collect}\n[store]\nurl = \"sqlite:{}\"\n",
            store.display()
        );
        fs::write(self.path("tlsrpt.toml"), text).unwrap();
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

    /// Starts it with a socket that somebody else holds.
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

    /// All days together.
    pub(crate) fn totals(&self) -> Totals {
        totals(&self.reader().days().unwrap())
    }

    /// Waits until so many events are in the store.
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

/// Waits for something that must happen.
pub(crate) fn until(mut happened: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !happened() {
        assert!(Instant::now() < end, "it does not happen");
        thread::sleep(Duration::from_millis(1));
    }
}

/// The socket of a service manager, with a queue of this length.
pub(crate) fn held_socket(path: &Path, queue: u32) -> UnixDatagram {
    let (path, setting) = (path.to_path_buf(), "/proc/sys/net/unix/max_dgram_qlen");
    // The thread alone moves to a network namespace of its own; the socket keeps the length.
    let made = thread::spawn(move || {
        unshare(CloneFlags::CLONE_NEWNET).expect("root is needed to make a network namespace");
        fs::write(setting, queue.to_string()).unwrap();
        UnixDatagram::bind(path).unwrap()
    });
    made.join().unwrap()
}

/// How many datagrams still wait in the socket of the service manager: the next collector would receive them.
pub(crate) fn waiting_in(held: &UnixDatagram) -> u64 {
    held.set_nonblocking(true).unwrap();
    let mut buffer = vec![0; 1 << 20];
    (0..).take_while(|_| held.recv(&mut buffer).is_ok()).count() as u64
}

/// A collector at work.
pub(crate) struct Collector {
    child: Child,
    said: BufReader<ChildStderr>,
}

impl Collector {
    /// Waits until it listens.
    pub(crate) fn started(command: Command) -> Self {
        let mut collector = Self::spawn(command);
        collector.says("listening at ");
        collector
    }

    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let said = BufReader::new(child.stderr.take().unwrap());
        Self { child, said }
    }

    /// The next line that contains this text.
    pub(crate) fn says(&mut self, text: &str) -> String {
        let mut all = String::new();
        loop {
            let begin = all.len();
            assert_ne!(self.said.read_line(&mut all).unwrap(), 0, "no line has {text:?}:\n{all}");
            if all[begin..].contains(text) {
                return all[begin..].trim_end().to_string();
            }
        }
    }

    pub(crate) fn send(&self, place: &Place, datagram: impl AsRef<[u8]>) {
        UnixDatagram::unbound().unwrap().send_to(datagram.as_ref(), place.socket()).unwrap();
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
    }

    /// A line of `/proc/PID/status`, in KiB.
    pub(crate) fn memory(&self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim_matches(|character: char| !character.is_ascii_digit()).parse().unwrap()
    }

    /// Waits for its end. Its exit code and its last lines.
    pub(crate) fn wait(mut self) -> (Option<i32>, String) {
        let mut said = String::new();
        while self.said.read_line(&mut said).unwrap() > 0 {}
        (self.child.wait().unwrap().code(), said)
    }

    /// Ends it by SIGTERM, and wants that nothing is lost.
    pub(crate) fn end(self) {
        self.signal(Signal::SIGTERM);
        let (code, said) = self.wait();
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains(" 0 dropped, 0 lost"), "{said}");
    }
}
