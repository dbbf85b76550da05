//! Reads files and the output of commands, with limits of size and time.

use std::{
    ffi::OsStr,
    fs::File,
    io::{self, Read, Write},
    path::Path,
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

/// The most bytes of a file or of the output of a command.
const MOST: u64 = 4 << 20;
/// How long a command may run.
const LONGEST: Duration = Duration::from_secs(5);
/// How often a running command is looked at.
const STEP: Duration = Duration::from_millis(2);

/// The directories in which commands of a mail server may be. Empty: the search path.
const DIRECTORIES: [&str; 3] = ["", "/usr/sbin/", "/usr/local/sbin/"];

/// The output of a command that has ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The beginning of a file, up to a limit. Never waits for a pipe or a device: they are an error.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    let mut content = Vec::new();
    File::open(path)?.take(MOST).read_to_end(&mut content)?;
    Ok(content)
}

/// The same as text.
pub(crate) fn read_text(path: &Path) -> io::Result<String> {
    Ok(String::from_utf8_lossy(&read(path)?).into_owned())
}

/// Runs a command in the language of programs and waits for its end, but not long.
pub(crate) fn run<A: AsRef<OsStr>>(program: &str, arguments: impl IntoIterator<Item = A>) -> io::Result<Ran> {
    run_within(in_plain_language(program, arguments), LONGEST)
}

/// The output of a command of the mail server, which may be outside of the search path.
pub(crate) fn tool(name: &str, options: &[impl AsRef<OsStr>]) -> io::Result<String> {
    match tool_with_input(name, options, "")? {
        ran if ran.status.success() => Ok(ran.stdout),
        ran => Err(io::Error::other(ran.stderr.trim().to_owned())),
    }
}

/// The same command with a short text to read: what it prints, however it ends.
pub(crate) fn tool_with_input(name: &str, options: &[impl AsRef<OsStr>], input: &str) -> io::Result<Ran> {
    for directory in DIRECTORIES {
        match run_with_input(in_plain_language(&format!("{directory}{name}"), options), input, LONGEST) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            ended => return ended,
        }
    }
    let text = format!("there is no program {name} on this host: the mail server is not installed");
    Err(io::Error::new(io::ErrorKind::NotFound, text))
}

/// A command in the language of programs.
fn in_plain_language<A: AsRef<OsStr>>(program: &str, arguments: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).env("LC_ALL", "C");
    command
}

/// Runs a command without input and waits for its end, at most so long.
pub(crate) fn run_within(command: Command, limit: Duration) -> io::Result<Ran> {
    run_with_input(command, "", limit)
}

/// The same with a text that fits into the buffer of a pipe.
fn run_with_input(mut command: Command, input: &str, limit: Duration) -> io::Result<Ran> {
    let source = if input.is_empty() { Stdio::null() } else { Stdio::piped() };
    let mut child = command.stdin(source).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    if let Some(pipe) = child.stdin.take() {
        write(pipe, input);
    }
    let end = Instant::now() + limit;
    let stdout = child.stdout.take().map(reader);
    let stderr = child.stderr.take().map(reader);
    let status = wait(&mut child, end)?;
    Ok(Ran { status, stdout: received(stdout, end), stderr: received(stderr, end) })
}

/// Writes and closes the pipe. A command that does not read has no error of its own here: what it prints tells.
fn write(mut pipe: ChildStdin, input: &str) {
    let _ = pipe.write_all(input.as_bytes());
}

fn wait(child: &mut Child, end: Instant) -> io::Result<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if Instant::now() >= end {
            child.kill()?;
            child.wait()?;
            return Err(io::Error::new(io::ErrorKind::TimedOut, "it does not end and was killed"));
        }
        thread::sleep(STEP);
    }
}

/// Reads a pipe in a thread of its own, because a grandchild may keep it open for ever.
fn reader(pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut content = Vec::new();
        let _ = pipe.take(MOST).read_to_end(&mut content);
        let _ = sender.send(content);
    });
    receiver
}

fn received(receiver: Option<Receiver<Vec<u8>>>, end: Instant) -> String {
    let left = end.saturating_duration_since(Instant::now());
    let content = receiver.and_then(|receiver| receiver.recv_timeout(left).ok()).unwrap_or_default();
    String::from_utf8_lossy(&content).into_owned()
}

#[cfg(test)]
mod tests {
    use std::{io, path::Path, process::Command, time::Duration};

    use super::{read, run, run_within, tool, tool_with_input};

    #[test]
    fn a_missing_program_is_named() {
        let error = tool("no-such-program", &["x"]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(error.to_string().contains("no program no-such-program"), "{error}");
    }

    #[test]
    fn a_command_gives_its_output_and_a_hanging_one_is_killed() {
        let ran = run("sh", ["-c", "echo out; echo err >&2; exit 3"]).unwrap();
        assert_eq!((&*ran.stdout, &*ran.stderr, ran.status.code()), ("out\n", "err\n", Some(3)));
        let mut hanging = Command::new("sleep");
        hanging.arg("1000");
        let error = run_within(hanging, Duration::from_millis(20)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn a_command_reads_its_input() {
        let ran = tool_with_input("sh", &["-c", "cat; echo $1; exit 1", "sh", "more"], "text\n").unwrap();
        assert_eq!((&*ran.stdout, ran.status.code()), ("text\nmore\n", Some(1)));
        assert_eq!(tool_with_input("no-such-command", &["a"], "b").unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_device_is_not_read() {
        assert!(read(Path::new("/dev/zero")).is_err());
    }
}
