//! A host that sends reports: its store, its configuration, and the commands in it.

use std::{
    fs,
    io::Read,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use tempfile::TempDir;
use tlsrpt_format::datagram;
use tlsrpt_store::{Batch, BatchId, CountedEvent, Options, Url, open};

/// The deadline of each wait. Only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// A directory with a store and a configuration.
pub(crate) struct Host {
    pub(crate) folder: TempDir,
    pub(crate) batches: u64,
}

impl Host {
    /// Makes a host that sends its report mails to this port.
    pub(crate) fn new(port: u16, more: &str) -> Self {
        let host = Self { folder: tempfile::tempdir().unwrap(), batches: 0 };
        host.configure(&format!(
            "[report]\norganization = \"Sender\"\ncontact = \"c@sender.example\"\nfrom = \"noreply@sender.example\"\n\
             spread = \"0s\"\n[mail]\nserver = \"smtp://127.0.0.1:{port}\"\n{more}"
        ));
        host
    }

    pub(crate) fn configure(&self, text: &str) {
        let folder = self.folder.path().display();
        let places = format!(
            "[collect]\nsocket = \"{folder}/s\"\nsocket-mode = \"0660\"\n[store]\nurl = \"sqlite:{folder}/db\"\n"
        );
        fs::write(self.file("tlsrpt.toml"), places + text).unwrap();
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Replaces a part of the configuration.
    pub(crate) fn change(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.file("tlsrpt.toml")).unwrap();
        assert!(text.contains(from), "{from}: {text}");
        fs::write(self.file("tlsrpt.toml"), text.replace(from, to)).unwrap();
    }

    /// Adds a line to the section [report].
    pub(crate) fn set(&self, line: &str) {
        self.change("[report]\n", &format!("[report]\n{line}\n"));
    }

    /// Sends report mails to another port from now on.
    pub(crate) fn change_server(&self, port: u16) {
        let text = fs::read_to_string(self.file("tlsrpt.toml")).unwrap();
        let begin = text.find("smtp://").unwrap();
        let end = begin + text[begin..].find('"').unwrap();
        let changed = format!("{}smtp://127.0.0.1:{port}{}", &text[..begin], &text[end..]);
        fs::write(self.file("tlsrpt.toml"), changed).unwrap();
    }

    /// Installs a sendmail command with this script. It is renamed into place, because a file that is open to write cannot be
    /// executed.
    pub(crate) fn sendmail(&self, text: &str) {
        let new = self.file("new");
        fs::write(&new, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&new, fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(new, self.file("sendmail")).unwrap();
    }

    /// Adds a failed event for each domain, whose record names the destination.
    pub(crate) fn add(&mut self, day: Date, domains: &[(&str, &str)]) {
        let event = |(domain, to): &(&str, &str)| {
            format!(
                "{{\"d\":\"{domain}\",\"pr\":\"v=TLSRPTv1;rua={to}\",\"policies\":[{{\"policy-type\":9,\
                 \"failure-details\":[{{\"c\":201}}],\"t\":1,\"f\":1}}]}}"
            )
        };
        self.add_all(day, domains.iter().map(event).collect());
    }

    pub(crate) fn add_event(&mut self, day: Date, event: &str) {
        self.add_all(day, vec![event.to_owned()]);
    }

    fn add_all(&mut self, day: Date, events: Vec<String>) {
        self.batches += 1;
        let event = |text: String| CountedEvent { event: datagram::parse(text.as_bytes()).unwrap(), times: 1 };
        let batch = Batch {
            id: BatchId { writer: "test".into(), number: self.batches },
            day,
            last_event: None,
            events: events.into_iter().map(event).collect(),
            invalid: vec![],
            dropped: 0,
        };
        open(&Url::Sqlite(self.file("db")), Options::default()).unwrap().add(&batch).unwrap();
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tlsrpt"));
        command.args(arguments).arg("--config").arg(self.file("tlsrpt.toml"));
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        code_and_texts(self.command(arguments).output().unwrap())
    }

    /// Runs the command and asserts exit code 0. Returns its standard output.
    pub(crate) fn run_well(&self, arguments: &[&str]) -> String {
        let (code, out, said) = self.run(arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {out}{said}");
        out
    }

    pub(crate) fn reports(&self, arguments: &[&str]) -> Value {
        let arguments = [&["reports", "list", "--format", "json"], arguments].concat();
        serde_json::from_str(&self.run_well(&arguments)).unwrap()
    }

    /// The state of the first delivery of the first report.
    pub(crate) fn state(&self) -> String {
        self.reports(&[])["reports"][0]["deliveries"][0]["state"].as_str().unwrap().into()
    }
}

pub(crate) fn code_and_texts(output: Output) -> (Option<i32>, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

pub(crate) fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}

pub(crate) fn yesterday() -> Date {
    today().yesterday().unwrap()
}

/// A running service, which is killed at the end of the test.
pub(crate) struct Service(Child);

impl Service {
    pub(crate) fn start(host: &Host, subcommand: &str) -> Self {
        Self::spawn(host.command(&[subcommand]))
    }

    pub(crate) fn spawn(mut command: Command) -> Self {
        Self(command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap())
    }

    #[allow(dead_code, reason = "the tests of shared stores use it")]
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Ends it by SIGTERM. Returns its exit code and its standard error.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        kill(Pid::from_raw(self.0.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
        let (mut said, mut code) = (String::new(), None);
        until("the service ends", || {
            code = self.0.try_wait().unwrap();
            code.is_some()
        });
        self.0.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (code.unwrap().code(), said)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < end, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(20));
    }
}
