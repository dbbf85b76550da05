//! The map server in a process without free descriptors for new clients. This test has its own process, because the limit
//! applies to all threads.

use std::{
    io::{Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use nix::sys::resource::{Resource, setrlimit};
use tlsrpt_sendmail::{
    reporter::{Complain, Reporter},
    server,
};

const REQUEST: &[u8] = b"52:tlsrpt OK;[192.0.2.25];mx.example.org;192.0.2.25;;?;,";
const ANSWER: &[u8] = b"9:NOTFOUND ,";
/// The limit of the process, with which the server accepts only some of the clients.
const DESCRIPTORS: u64 = 64;
const CLIENTS: usize = 40;
const BOUND: Duration = Duration::from_secs(60);

fn ask(client: &mut UnixStream) {
    client.write_all(REQUEST).unwrap();
    let mut answer = [0; ANSWER.len()];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(answer, ANSWER);
}

#[test]
fn a_lack_of_descriptors_is_logged_once_and_ends_when_clients_leave() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("map.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let messages = Arc::new(Mutex::new(Vec::<String>::new()));
    let of_server = Arc::clone(&messages);
    let complain: Complain = Arc::new(move |text: &str| of_server.lock().unwrap().push(text.to_owned()));
    let reporter = Reporter::start(|_| async { Ok(()) }, Arc::clone(&complain)).unwrap();
    thread::spawn(move || server::serve(&listener, &reporter, &complain));
    setrlimit(Resource::RLIMIT_NOFILE, DESCRIPTORS, DESCRIPTORS).unwrap();

    let mut clients: Vec<_> = (0..CLIENTS).map_while(|_| UnixStream::connect(&path).ok()).collect();
    let mut first = clients.remove(0);
    first.set_read_timeout(Some(BOUND)).unwrap();
    // A busy client makes the server look for new clients often.
    for _ in 0..20_000 {
        ask(&mut first);
    }
    // On a busy machine there are also messages about handshakes that wait too long for the reporter.
    let found = messages.lock().unwrap().iter().filter(|message| message.contains("LimitNOFILE")).count();
    assert_eq!(found, 1);
    let mut last = clients.pop().unwrap();
    drop(clients);
    last.set_read_timeout(Some(BOUND)).unwrap();
    ask(&mut last);
}
