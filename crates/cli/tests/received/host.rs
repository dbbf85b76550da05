//! A host with a store, and reports.

use std::{
    fs,
    io::Write,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use tempfile::TempDir;

pub(crate) struct Host {
    pub(crate) folder: TempDir,
}

/// What a command did: its exit code, standard output and standard error.
pub(crate) type Done = (i32, String, String);

/// A day before today.
pub(crate) fn day_before(days: i64) -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date().saturating_sub(days.days())
}

/// A report about a day: good sessions, and failed ones with a result type.
pub(crate) fn report(organization: &str, day: Date, succeeded: u64, failed: u64, result_type: &str) -> String {
    let details = match failed {
        0 => String::new(),
        _ => format!("{{\"result-type\": \"{result_type}\", \"failed-session-count\": {failed}}}"),
    };
    format!(
        "{{\"organization-name\": \"{organization}\", \"contact-info\": \"a@b.example\", \"report-id\": \"{day}\",
        \"date-range\": {{\"start-datetime\": \"{day}T00:00:00Z\", \"end-datetime\": \"{day}T23:59:59Z\"}},
        \"policies\": [{{\"policy\": {{\"policy-type\": \"no-policy-found\", \"policy-domain\": \"Example.org\"}},
        \"summary\": {{\"total-successful-session-count\": {succeeded}, \"total-failure-session-count\": {failed}}},
        \"failure-details\": [{details}]}}]}}"
    )
}

impl Host {
    pub(crate) fn new() -> Self {
        let host = Self { folder: tempfile::tempdir().unwrap() };
        host.configure("");
        host
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn configure(&self, more: &str) {
        let store = self.path("tlsrpt.db");
        let text = format!("[store]\nurl = \"sqlite:{}\"\n{more}", store.display());
        fs::write(self.path("tlsrpt.toml"), text).unwrap();
    }

    /// Runs the command with the configuration of this host.
    pub(crate) fn run(&self, arguments: &[&str], input: &[u8]) -> Done {
        let file = self.path("tlsrpt.toml");
        let arguments: Vec<_> = arguments.iter().copied().chain(["--config", file.to_str().unwrap()]).collect();
        run(&arguments, input)
    }

    pub(crate) fn receive(&self, input: &str) -> Done {
        self.run(&["receive"], input.as_bytes())
    }

    /// The same in a shell that has set this limit by `ulimit`.
    pub(crate) fn receive_with_limit(&self, limit: &str, input: &[u8]) -> Done {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("ulimit {limit} && exec \"$0\" receive --config \"$1\"")]);
        done(command.arg(env!("CARGO_BIN_EXE_tlsrpt")).arg(self.path("tlsrpt.toml")), input)
    }
}

/// Runs the command with this on standard input. The exit code is -1 after a signal.
pub(crate) fn run(arguments: &[&str], input: &[u8]) -> Done {
    done(Command::new(env!("CARGO_BIN_EXE_tlsrpt")).args(arguments), input)
}

/// Runs it with this on standard input.
fn done(command: &mut Command, input: &[u8]) -> Done {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that does not read its input ends before.
    let _ = child.stdin.take().unwrap().write_all(input);
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    (status.code().unwrap_or(-1), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}
