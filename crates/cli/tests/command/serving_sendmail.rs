//! `tlsrpt sendmail-map`: the server as Sendmail meets it. What it does with what it hears is tested where that is written,
//! and with a real Sendmail.

use std::{
    io::{Read, Write},
    os::unix::{fs::PermissionsExt, net::UnixStream},
    process::{Child, Command, Stdio},
};

use crate::support::{directory, run_badly, tlsrpt};

const QUESTION: &[u8] = b"52:tlsrpt OK;[192.0.2.25];mx.example.org;192.0.2.25;;?;,";
const ANSWER: &[u8] = b"9:NOTFOUND ,";

/// A server that ends with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a server and reads the line that says that it listens.
fn start(command: &mut Command) -> (Server, String) {
    let mut server = Server(command.stderr(Stdio::piped()).spawn().unwrap());
    let mut line = Vec::new();
    let mut said = server.0.stderr.take().unwrap();
    let mut byte = [0];
    while said.read(&mut byte).unwrap() == 1 && byte != *b"\n" {
        line.push(byte[0]);
    }
    // The pipe stays open: what the server says later must find it.
    server.0.stderr = Some(said);
    (server, String::from_utf8(line).unwrap())
}

fn assert_answers(mut client: UnixStream) {
    client.write_all(QUESTION).unwrap();
    let mut answer = [0; ANSWER.len()];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(answer, ANSWER);
}

#[test]
fn it_listens_where_it_is_told_and_leaves_the_socket() {
    let folder = directory();
    let path = folder.path().join("map.sock");
    let listen = format!("unix:{}", path.display());
    for mode in [0o600, 0o660] {
        let (server, line) =
            start(tlsrpt().args(["sendmail-map", "--mode", &format!("{mode:o}"), "--listen", &listen]));
        assert_eq!(line, format!("tlsrpt: listening at {}", path.display()));
        assert_answers(UnixStream::connect(&path).unwrap());
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, mode);
        let second = run_badly(1, ["sendmail-map", "--listen", &listen]);
        assert!(second.contains("another server listens there"), "{second}");
        drop(server);
        assert!(path.exists());
    }
}
