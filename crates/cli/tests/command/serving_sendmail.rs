//! `tlsrpt sendmail-map` as a process. The tests of its crate and those with a real Sendmail cover the rest.

use std::{
    io::{Read, Write},
    os::{
        fd::OwnedFd,
        unix::{
            fs::PermissionsExt,
            net::{UnixListener, UnixStream},
        },
    },
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::support::{directory, run_badly, tlsrpt};

const QUESTION: &[u8] = b"52:tlsrpt OK;[192.0.2.25];mx.example.org;192.0.2.25;;?;,";
/// The deadline of each step. Only a failing test waits so long.
const BOUND: Duration = Duration::from_secs(60);
const ANSWER: &[u8] = b"9:NOTFOUND ,";

/// The server process, which is killed at the end of the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a server. Returns it with the first line of its standard error, which names its socket.
fn start(command: &mut Command) -> (Server, String) {
    let mut server = Server(command.stderr(Stdio::piped()).spawn().unwrap());
    let line = first_line(&mut server);
    (server, line)
}

fn first_line(server: &mut Server) -> String {
    let mut line = Vec::new();
    let mut messages = server.0.stderr.take().unwrap();
    let mut byte = [0];
    while messages.read(&mut byte).unwrap() == 1 && byte != *b"\n" {
        line.push(byte[0]);
    }
    // The pipe stays open for later messages.
    server.0.stderr = Some(messages);
    String::from_utf8(line).unwrap()
}

/// A connection whose reads fail after the deadline.
fn connect(path: &Path) -> UnixStream {
    let client = UnixStream::connect(path).unwrap();
    client.set_read_timeout(Some(BOUND)).unwrap();
    client.set_write_timeout(Some(BOUND)).unwrap();
    client
}

fn assert_answers(client: &mut UnixStream, question: &[u8]) {
    client.write_all(question).unwrap();
    let mut answer = [0; ANSWER.len()];
    client.read_exact(&mut answer).expect("the server did not answer");
    assert_eq!(answer, ANSWER);
}

fn address(path: &Path) -> String {
    format!("unix:{}", path.display())
}

#[test]
fn it_listens_at_the_path_and_does_not_remove_the_socket() {
    let folder = directory();
    let path = folder.path().join("map.sock");
    let listen = address(&path);
    for mode in [0o600, 0o660] {
        let (server, line) =
            start(tlsrpt().args(["sendmail-map", "--mode", &format!("{mode:o}"), "--listen", &listen]));
        assert_eq!(line, format!("tlsrpt: listening at {}", path.display()));
        assert_answers(&mut connect(&path), QUESTION);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, mode);
        let second = run_badly(1, ["sendmail-map", "--listen", &listen]);
        assert!(second.contains("another process listens there"), "{second}");
        drop(server);
        assert!(path.exists());
    }
}

#[test]
fn it_uses_the_socket_that_systemd_passes() {
    let folder = directory();
    let path = folder.path().join("map.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let script = "exec \"$0\" sendmail-map 3<&0 0</dev/null";
    let mut shell = Command::new("sh");
    // The shell executes the server in its own process, so LISTEN_PID is right.
    shell.args([
        "-c",
        &format!("export LISTEN_FDS=1 LISTEN_PID=$$; {script}"),
        tlsrpt().get_program().to_str().unwrap(),
    ]);
    let _server = Server(shell.stdin(OwnedFd::from(listener)).spawn().unwrap());
    assert_answers(&mut connect(&path), QUESTION);
}

#[test]
fn of_two_servers_that_start_together_one_listens() {
    let folder = directory();
    let path = folder.path().join("map.sock");
    for _ in 0..20 {
        let start = || {
            let mut command = tlsrpt();
            command.args(["sendmail-map", "--listen", &address(&path)]).stderr(Stdio::piped());
            Server(command.spawn().unwrap())
        };
        let mut servers = [start(), start()];
        let lines: Vec<_> = servers.iter_mut().map(first_line).collect();
        let listening = lines.iter().filter(|line| line.starts_with("tlsrpt: listening at")).count();
        assert_eq!(listening, 1, "{lines:?}");
        let failed = lines.iter().find(|line| !line.starts_with("tlsrpt: listening at")).unwrap();
        assert!(failed.contains("another process"), "{failed}");
        assert_answers(&mut connect(&path), QUESTION);
    }
}

#[test]
fn unread_messages_do_not_delay_answers() {
    let folder = directory();
    let path = folder.path().join("map.sock");
    let (_server, _) = start(tlsrpt().args(["sendmail-map", "--listen", &address(&path)]));
    let mut client = connect(&path);
    // Each causes a line on standard error, which nobody reads: together far more than the pipe holds.
    for _ in 0..20_000 {
        assert_answers(&mut client, b"12:not a lookup,");
    }
}

#[test]
fn a_signal_ends_it_while_its_messages_are_unread() {
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        let folder = directory();
        let path = folder.path().join("map.sock");
        let (mut server, _) = start(tlsrpt().args(["sendmail-map", "--listen", &address(&path)]));
        let mut client = connect(&path);
        for _ in 0..5_000 {
            assert_answers(&mut client, b"12:not a lookup,");
        }
        kill(Pid::from_raw(server.0.id().try_into().unwrap()), signal).unwrap();
        // The system closes the connection when the process ends.
        assert_eq!(client.read(&mut [0]).expect("the process did not end"), 0);
        assert_eq!(server.0.wait().unwrap().code(), Some(0), "{signal}");
        assert!(path.exists(), "the socket was removed");
    }
}
