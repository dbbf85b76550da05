//! A mail host with a collector.

use std::{
    fs::{self, File},
    os::unix::net::UnixDatagram,
    path::PathBuf,
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;
use tempfile::TempDir;
use tlsrpt_store::{SpoolState, Url, look_at_spool, open_reader};

use crate::support::{Process, program};

/// The deadline of each wait. Only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(900);

/// Waits until the condition is true. Fails after the deadline.
pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < end, "{what}: not within {PATIENCE:?}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// The events of each domain in the store.
pub(crate) fn counts(url: &str) -> Vec<(String, u64)> {
    let mut reader = open_reader(&Url::Postgresql(Box::new(url.parse().unwrap()))).unwrap();
    let days = reader.days().unwrap();
    let domains = days.iter().flat_map(|day| reader.domains(day.day, "", usize::MAX).unwrap());
    let mut counts: Vec<_> = domains.map(|domain| (domain.domain, domain.events)).collect();
    counts.sort();
    counts
}

pub(crate) struct Host {
    folder: TempDir,
    /// `collect`, or `serve` for a reporter in the same process.
    command: &'static str,
    collector: Option<Process>,
    /// The last status that the service manager got.
    status: Arc<Mutex<String>>,
    sender: UnixDatagram,
    /// Events since the start of the collector.
    sent: u64,
}

impl Host {
    /// A host with this name, with the URL of the store and more lines for `[store]`.
    pub(crate) fn new(name: &str, url: &str, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name| folder.path().join(name);
        let text = format!(
            "[collect]\nsocket = {:?}\nsocket-group = \"0\"\n[store]\nurl = {url:?}\nspool = {:?}\nhost = \"{name}\"\n{more}",
            path("s"),
            path("spool.db")
        );
        fs::write(path("tlsrpt.toml"), text).unwrap();
        let (manager, status) = (UnixDatagram::bind(path("notify")).unwrap(), Arc::new(Mutex::new(String::new())));
        let last = Arc::clone(&status);
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(len) = manager.recv(&mut buffer) {
                let told = String::from_utf8_lossy(&buffer[..len]);
                if let Some(status) = told.lines().find_map(|line| line.strip_prefix("STATUS=")) {
                    *last.lock().unwrap() = status.into();
                }
            }
        });
        Self { folder, command: "collect", collector: None, status, sender: UnixDatagram::unbound().unwrap(), sent: 0 }
    }

    /// The same with more lines for `[collect]`.
    pub(crate) fn collecting(self, more: &str) -> Self {
        let file = self.path("tlsrpt.toml");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(file, text.replacen("[collect]\n", &format!("[collect]\n{more}\n"), 1)).unwrap();
        self
    }

    /// The same with a reporter in the process of the collector.
    pub(crate) fn with_reporter(name: &str, url: &str) -> Self {
        let report =
            "[report]\norganization = \"Sender\"\ncontact = \"c@sender.example\"\nfrom = \"r@sender.example\"\n";
        Self { command: "serve", ..Self::new(name, url, report) }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What the collectors of this host have said.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// How many lines of the log have this text.
    pub(crate) fn said(&self, text: &str) -> usize {
        self.log().lines().filter(|line| line.contains(text)).count()
    }

    pub(crate) fn status(&self) -> String {
        self.status.lock().unwrap().clone()
    }

    pub(crate) fn spool(&self) -> SpoolState {
        look_at_spool(&self.path("spool.db")).unwrap()
    }

    /// Starts the collector, and waits until it listens.
    pub(crate) fn start(&mut self) {
        let before = self.said("listening at");
        let log = File::options().create(true).append(true).open(self.path("log")).unwrap();
        let mut command = Command::new(program());
        command
            .arg(self.command)
            .arg("--config")
            .arg(self.path("tlsrpt.toml"))
            .env("NOTIFY_SOCKET", self.path("notify"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.status.lock().unwrap().clear();
        self.sent = 0;
        self.collector = Some(Process(command.spawn().unwrap()));
        until("the collector listens", || self.said("listening at") > before);
    }

    /// Sends an event. Waits while the queue of the socket is full.
    pub(crate) fn send(&mut self, event: &str) {
        self.sender.send_to(event.as_bytes(), self.path("s")).unwrap();
        self.sent += 1;
    }

    /// Waits until all events since the start are in the spool or in the store: no kill can lose them then.
    pub(crate) fn wait_until_kept(&self) {
        let text = format!("collecting: {} events, 0 invalid, 0 dropped", self.sent);
        until("the events are kept", || self.status().starts_with(&text));
    }

    pub(crate) fn kill(&mut self) {
        drop(self.collector.take());
    }

    /// Ends the collector in order.
    pub(crate) fn end(&mut self) {
        let mut collector = self.collector.take().unwrap();
        collector.signal(Signal::SIGTERM);
        assert_eq!(collector.exit_code(), Some(0), "{}", self.log());
    }
}
