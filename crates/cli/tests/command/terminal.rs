//! What people see in a terminal: a real one, made with openpty. Lines are broken at its width and continue below their last column
//! or indented; colours only there, and not against the environment; commands and records stay in one piece.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{ErrorKind, Read, Write},
    os::{fd::OwnedFd, unix::fs::PermissionsExt},
    path::PathBuf,
    process::{Command, Stdio},
};

use jiff::{Timestamp, tz::TimeZone};
use nix::pty::{Winsize, openpty};
use tempfile::TempDir;
use tlsrpt_format::datagram;
use tlsrpt_store::{Batch, BatchId, CountedEvent, Options, Url, open};

use crate::support::{Collector, directory, text, tlsrpt};

/// The widest text (see `WIDEST` in wrapping.rs).
const WIDEST: usize = 100;
/// What begins a sequence that sets a style.
const ESCAPE: char = '\u{1b}';
/// The variables that decide about colours and widths. With CI set, a terminal has colours also where TERM is "dumb".
const DECIDING: [&str; 6] = ["COLUMNS", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLORTERM", "CI"];

const EVENT: &str = r#"{"dpv":"1","d":"a.example","pr":"v=TLSRPTv1; rua=mailto:reports-about-tls@a.example,mailto:more-of-them@other.example","policies":[
    {"policy-type":2,"policy-domain":"a.example","policy-string":["version: STSv1","mode: enforce"],"mx-host":["*.a.example"],
     "failure-details":[{"c":204,"n":"mx.a.example","r":"192.0.2.25"}],"t":1,"f":1}]}"#;
const RECEIVED: &str = include_str!("../../../received/tests/senders/strange.json");

/// A host with a store that has a bit of everything.
struct Host {
    folder: TempDir,
    _collector: Collector,
}

impl Host {
    fn new() -> Self {
        let folder = directory();
        let here = folder.path().display();
        let configuration = format!(
            "[collect]\nsocket = \"{here}/s\"\n[store]\nurl = \"sqlite:{here}/db\"\n[report]\norganization = \"Sender\"\n\
             contact = \"c@sender.example\"\nfrom = \"noreply@sender.example\"\nspread = \"0s\"\n\
             [mail]\nserver = \"smtp://127.0.0.1:1\"\n"
        );
        fs::write(folder.path().join("tlsrpt.toml"), configuration).unwrap();
        let collector = Collector::bind(&folder.path().join("s"));
        let host = Self { folder, _collector: collector };
        let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
        let mut store = open(&Url::Sqlite(host.file("db")), Options::default()).unwrap();
        for (number, day) in (1..).zip([today, today.yesterday().unwrap()]) {
            let event = CountedEvent { event: datagram::parse(EVENT.as_bytes()).unwrap(), times: 3 };
            let id = BatchId { writer: "test".into(), number };
            let last_event = Some(Timestamp::now());
            store
                .add(&Batch { id, day, last_event, events: vec![event], invalid: vec![("json", 2)], dropped: 9 })
                .unwrap();
        }
        host.prepare(&["deliver", "--once"], "");
        // Without a time that passes.
        host.prepare(&["reports", "cancel", "1"], "");
        host.prepare(
            &["suppress", "add", "b.example", "--reason", "the postmaster of b.example asked for it by mail"],
            "",
        );
        host.prepare(&["receive"], RECEIVED);
        host
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn prepare(&self, arguments: &[&str], input: &str) {
        let mut command = self.command(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait().unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = tlsrpt();
        undecided(&mut command).args(arguments);
        // `read` and texts of records have no configuration.
        if !matches!(arguments[0], "read" | "listen" | "send") {
            command.arg("--config").arg(self.file("tlsrpt.toml"));
        }
        command
    }

    /// What the command writes into a pipe: standard output, then standard error.
    fn piped(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).stdin(Stdio::null()).output().unwrap();
        format!("{}{}", text(&output.stdout), text(&output.stderr))
    }

    fn in_terminal(&self, columns: u16, arguments: &[&str]) -> String {
        in_terminal(columns, self.command(arguments))
    }

    /// Commands that write text for people. Each has a line of more than 40 columns.
    fn of_people(&self) -> Vec<Vec<String>> {
        let file = self.file("received.json");
        fs::write(&file, RECEIVED).unwrap();
        let file = file.to_str().unwrap();
        let socket = self.file("nobody");
        let all: [&[&str]; 15] = [
            &["status"],
            &["status", "--domain", "a.example"],
            &["check", "--socket", socket.to_str().unwrap()],
            &["check", "--socket", socket.to_str().unwrap(), "--monitor"],
            &["record", "v=TLSRPTv1; rua=tls@example.org!10m"],
            &["deliver", "--day", "today", "--dry-run"],
            &["deliver", "--day", "yesterday"],
            &["reports"],
            &["reports", "show", "1"],
            &["reports", "preview", "a.example"],
            &["reports", "cancel", "17"],
            &["suppress", "list"],
            &["read", file],
            &["received", "--days", "3650"],
            &["received", "show", "Strange GmbH", "17"],
        ];
        all.iter().map(|words| words.iter().map(|word| (*word).to_owned()).collect()).collect()
    }
}

/// Takes the variables away by which the environment of the tests could decide.
fn undecided(command: &mut Command) -> &mut Command {
    for variable in DECIDING {
        command.env_remove(variable);
    }
    command.env("TERM", "xterm")
}

/// What the command writes to a terminal of so many columns.
fn in_terminal(columns: u16, mut command: Command) -> String {
    let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    let terminal = openpty(&size, None).unwrap();
    let end = || terminal.slave.try_clone().unwrap();
    let mut child = command.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
    // The last descriptors of its end are those of the child: when it ends, reading fails.
    drop((command, terminal.slave));
    let shown = read_all(terminal.master);
    child.wait().unwrap();
    shown.replace("\r\n", "\n")
}

fn read_all(master: OwnedFd) -> String {
    let mut bytes = Vec::new();
    match File::from(master).read_to_end(&mut bytes) {
        Ok(_) => {}
        // Linux says so when the other end is closed.
        Err(error) => assert_eq!(error.raw_os_error(), Some(nix::libc::EIO), "{:?}", ErrorKind::Other),
    }
    String::from_utf8(bytes).unwrap()
}

fn words(arguments: &[String]) -> Vec<&str> {
    arguments.iter().map(String::as_str).collect()
}

/// Without the sequences that set a style.
fn plain(text: &str) -> String {
    let mut parts = text.split(ESCAPE);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |all, part| all + part.split_once('m').map_or("", |(_, behind)| behind))
}

fn width(line: &str) -> usize {
    line.chars().count()
}

/// Asserts that the lines in the terminal are those of the pipe, broken between words where they are too wide. Returns how many
/// are broken.
fn assert_broken(shown: &str, whole: &str, columns: usize, context: &str) -> usize {
    let mut lines = shown.lines();
    let mut broken = 0;
    for line in whole.lines() {
        let first = lines.next().unwrap_or_else(|| panic!("{context}: the line is missing: {line}"));
        let mut together = first.to_owned();
        let mut widest = width(first);
        while words_of(&together).ne(words_of(line)) {
            let next = lines.next().unwrap_or_else(|| panic!("{context}: {line:?} is {together:?}"));
            let indent = width(next) - width(next.trim_start());
            let of_first = width(first) - width(first.trim_start());
            assert!(indent >= of_first + 4, "{context}: no hanging indent: {next:?} after {first:?}");
            assert!(width(first) <= columns || is_one_piece(first, ""), "{context}: {first:?}");
            assert!(width(next) <= columns || is_one_piece(next, &together), "{context}: {next:?}");
            together = format!("{together} {next}");
            widest = widest.max(width(next));
            broken += 1;
        }
        assert!(width(line) > columns || width(first) == width(line), "{context}: broken without need: {line:?}");
    }
    assert_eq!(lines.next(), None, "{context}");
    broken
}

/// The words of a line. The numbers of GiB that are free on a disk change between two calls.
fn words_of(line: &str) -> impl Iterator<Item = &str> {
    line.split_whitespace().map(|word| if word.parse::<f64>().is_ok() { "0" } else { word })
}

/// Whether the last column of the line, behind the text `before`, is one word or one command or record, which is not broken.
fn is_one_piece(line: &str, before: &str) -> bool {
    let column = line.trim().rsplit("  ").next().unwrap_or_default().trim_start();
    let is_record = before.ends_with(':') && column.starts_with("v=");
    !column.contains(' ') || before.ends_with("run:") || is_record
}

#[test]
fn lines_are_broken_at_the_width_of_the_terminal() {
    let host = Host::new();
    for arguments in host.of_people() {
        let arguments = words(&arguments);
        let whole = host.piped(&arguments);
        assert!(whole.lines().any(|line| width(line) > 40), "{arguments:?}: no wide line: {whole}");
        for columns in [40, 60, 100, 250] {
            let shown = plain(&host.in_terminal(columns, &arguments));
            let (shown, whole) = (without_times(&shown), without_times(&host.piped(&arguments)));
            let most = WIDEST.min(columns.into());
            let broken = assert_broken(&shown, &whole, most, &format!("{arguments:?} in {columns}:\n{shown}"));
            assert!(columns > 40 || broken > 0, "{arguments:?}: {shown}");
        }
        // A terminal too narrow to read breaks the lines itself.
        let shown = plain(&host.in_terminal(30, &arguments));
        assert_eq!(shown.lines().count(), whole.lines().count(), "{arguments:?}: {shown}");
    }
}

/// Without what passes between two calls: the lines with a time, and what is broken off them.
fn without_times(shown: &str) -> String {
    let indent = |line: &str| width(line) - width(line.trim_start());
    let mut time_at = None;
    let mut kept = String::new();
    for line in shown.lines() {
        if ["last event", "  arrived"].iter().any(|label| line.starts_with(label)) {
            time_at = Some(indent(line));
        } else if time_at.is_none_or(|at| indent(line) < at + 4) {
            time_at = None;
            kept += line;
            kept.push('\n');
        }
    }
    kept
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let host = Host::new();
    let record = ["record", "v=TLSRPTv1; rua=mailto:tls@example.org"];
    let check = ["check", "--socket", "/no/such/socket"];
    for arguments in [&record[..], &check, &["check", "--help"], &["--help"]] {
        let with = |name: &str, value: &str| {
            let mut command = tlsrpt();
            undecided(&mut command).args(arguments).env(name, value);
            in_terminal(80, command)
        };
        assert!(with("X", "").contains(ESCAPE), "{arguments:?}");
        for (name, value) in [("NO_COLOR", "1"), ("TERM", "dumb"), ("CLICOLOR", "0")] {
            let shown = with(name, value);
            assert!(!shown.contains(ESCAPE) && !shown.is_empty(), "{name}: {arguments:?}: {shown:?}");
        }
    }
    for arguments in [&record[..], &check] {
        let shown = host.piped(arguments);
        assert!(!shown.contains(ESCAPE) && !shown.is_empty(), "{arguments:?}: {shown}");
    }
}

#[test]
fn commands_and_records_are_never_broken() {
    let host = Host::new();
    let wrong = host.in_terminal(40, &["record", "v=TLSRPTv1; rua=tls-reports-to-us@mail.example.org"]);
    let corrected = "v=TLSRPTv1; rua=mailto:tls-reports-to-us@mail.example.org";
    let wrong = plain(&wrong);
    assert!(wrong.contains(corrected), "{wrong}");
    // What is below the mark is the beginning of the address.
    let lines: Vec<_> = wrong.lines().take(2).collect();
    let mark = lines[1].find('^').unwrap();
    assert!(lines[0][mark..].starts_with("tls-reports") && lines[0].len() <= 40, "{wrong}");
    // A configuration with a password that everybody can read.
    let file = host.file("secret.toml");
    fs::write(&file, "[mail]\nusername = \"u\"\npassword = \"p\"\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let mut command = tlsrpt();
    undecided(&mut command).args(["config", "check", "--config"]).arg(&file);
    let shown = plain(&in_terminal(40, command));
    let command = format!("chmod o= {}", file.display());
    assert!(shown.contains("run:\n") && shown.lines().any(|line| line.trim_start() == command), "{shown}");
}

#[test]
fn messages_on_standard_error_and_the_help_are_broken() {
    let host = Host::new();
    let mut command = host.command(&["reports"]);
    command.args(["--state", "waitin"]);
    let shown = in_terminal(50, command);
    assert!(
        shown.starts_with("tlsrpt: ")
            && shown.lines().count() > 1
            && shown.lines().skip(1).all(|line| line.starts_with("    ")),
        "{shown}"
    );
    let mut command = tlsrpt();
    undecided(&mut command).args(["send", "--help"]).env("TERM", "dumb");
    let shown = in_terminal(60, command);
    // The usage, the examples and what is said of them are lines of their own.
    let (_, options) = shown.split_once("\nOptions:\n").unwrap();
    let (options, _) = options.split_once("The types of failures").unwrap();
    assert!(options.lines().count() > 20 && options.lines().all(|line| width(line) <= 60), "{options}");
}

#[test]
fn the_environment_gives_a_width_to_a_pipe() {
    let host = Host::new();
    let of_people: HashMap<_, _> = [("50", true), ("wide", false)].into();
    for (columns, is_broken) in of_people {
        let mut command = host.command(&["suppress", "list"]);
        let output = command.env("COLUMNS", columns).output().unwrap();
        assert_eq!(text(&output.stdout).lines().count() > 1, is_broken, "{}", text(&output.stdout));
    }
}
