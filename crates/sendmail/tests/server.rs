//! The map server on a real socket, with clients that are slow, broken or hostile. Its reporter discards all events.

use std::{
    io::{Read, Write},
    net::Shutdown,
    os::unix::net::{UnixListener, UnixStream},
    path::PathBuf,
    sync::Arc,
    thread,
    time::Instant,
};

use tempfile::TempDir;
use tlsrpt_sendmail::{
    reporter::{Complain, Reporter},
    server,
};

const REQUEST: &[u8] = b"52:tlsrpt OK;[192.0.2.25];mx.example.org;192.0.2.25;;?;,";
const ANSWER: &[u8] = b"9:NOTFOUND ,";

struct Server {
    _folder: TempDir,
    path: PathBuf,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("map.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let complain: Complain = Arc::new(|_| ());
        let reporter = Reporter::start(|_| async { Ok(()) }, Arc::clone(&complain)).unwrap();
        thread::spawn(move || server::serve(&listener, &reporter, &complain));
        Self { _folder: folder, path }
    }

    fn connect(&self) -> UnixStream {
        UnixStream::connect(&self.path).unwrap()
    }

    fn assert_serves(&self) {
        ask(&mut self.connect());
    }
}

fn ask(client: &mut UnixStream) {
    client.write_all(REQUEST).unwrap();
    assert_answer(client);
}

fn assert_answer(client: &mut UnixStream) {
    let mut answer = [0; ANSWER.len()];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(answer, ANSWER);
}

/// Asserts that the server closes the connection, after whole answers only.
fn assert_closed(mut client: &UnixStream) {
    let mut answers = Vec::new();
    // If the server has not read everything, the system resets the connection and reading fails.
    let _ = client.read_to_end(&mut answers);
    assert_eq!(answers.len() % ANSWER.len(), 0);
}

#[test]
fn answers_many_requests_of_one_client() {
    let server = Server::start();
    let mut client = server.connect();
    let mut times: Vec<_> = (0..1000)
        .map(|_| {
            let start = Instant::now();
            ask(&mut client);
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    println!("1,000 answers: median {:?}, slowest {:?}", times[times.len() / 2], times[times.len() - 1]);
}

#[test]
fn answers_requests_that_arrive_together_or_in_pieces() {
    let server = Server::start();
    let mut client = server.connect();
    client.write_all(&REQUEST.repeat(50)).unwrap();
    for _ in 0..50 {
        assert_answer(&mut client);
    }
    for byte in REQUEST {
        client.write_all(&[*byte]).unwrap();
    }
    assert_answer(&mut client);
}

#[test]
fn serves_many_clients_beside_slow_ones() {
    let server = Server::start();
    let mut slow: Vec<_> = (0..100).map(|_| server.connect()).collect();
    for client in &mut slow {
        client.write_all(&REQUEST[..20]).unwrap();
    }
    thread::scope(|scope| {
        for _ in 0..100 {
            scope.spawn(|| {
                let mut client = server.connect();
                for _ in 0..20 {
                    ask(&mut client);
                }
            });
        }
    });
    for client in &mut slow {
        client.write_all(&REQUEST[20..]).unwrap();
        assert_answer(client);
    }
}

#[test]
fn answers_keys_that_it_cannot_parse() {
    let server = Server::start();
    let mut client = server.connect();
    for request in [b"0:,".as_slice(), b"6:tlsrpt,", b"3:a\xffb,", b"10:tlsrpt a;b,", b"20:tlsrpt ;;;;;;;;;;;;;,"] {
        client.write_all(request).unwrap();
        assert_answer(&mut client);
    }
    ask(&mut client);
}

#[test]
fn closes_connections_that_violate_the_protocol() {
    let server = Server::start();
    let longest_and_one = "8193:".to_owned() + &"x".repeat(8193) + ",";
    let endless = "1".repeat(100_000);
    for broken in ["GET / HTTP/1.0\r\n\r\n", "3:abcd", "-1:,", ":", &longest_and_one, &endless] {
        let mut client = server.connect();
        // The server may close the connection before everything is sent.
        let _ = client.write_all(broken.as_bytes());
        assert_closed(&client);
        server.assert_serves();
    }
}

#[test]
fn serves_others_after_clients_that_leave_or_do_not_read() {
    let server = Server::start();
    for end in 0..REQUEST.len() {
        server.connect().write_all(&REQUEST[..end]).unwrap();
    }
    let mut closed = server.connect();
    closed.shutdown(Shutdown::Read).unwrap();
    let _ = closed.write_all(REQUEST);
    let mut unread = server.connect();
    unread.set_nonblocking(true).unwrap();
    // The client does not read: the answers fill the buffer of the connection, and then the server closes it.
    while unread.write(&REQUEST.repeat(100)).map_or_else(|error| error.raw_os_error() == Some(11), |_| true) {
        server.assert_serves();
    }
    server.assert_serves();
}

/// The same pseudo-random bytes in every run (xorshift).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bytes(&mut self) -> Vec<u8> {
        let length = self.next() % 300;
        (0..length).map(|_| self.next().to_le_bytes()[0]).collect()
    }
}

#[test]
fn serves_others_after_random_bytes() {
    let server = Server::start();
    let mut noise = Noise(0x5eed_5eed);
    for round in 0..2000 {
        let mut client = server.connect();
        let bytes = noise.bytes();
        let framed = [bytes.len().to_string().as_bytes(), b":", &bytes, b","].concat();
        let _ = client.write_all(if round % 2 == 0 { &bytes } else { &framed });
        if round % 2 == 1 {
            assert_answer(&mut client);
        }
    }
    server.assert_serves();
}
