//! A proxy that cuts connections to the server: what the server answered does not arrive, so the outcome of a commit is
//! unknown.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};

/// A port of 127.0.0.1 that leads to the server.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    behaviour: Arc<Behaviour>,
}

#[derive(Default)]
struct Behaviour {
    /// Of a hundred answers, so many are lost, and with each the connection.
    losing: AtomicU32,
    cuts: AtomicU32,
}

impl Proxy {
    pub(crate) fn start(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Self { port: listener.local_addr().unwrap().port(), behaviour: Arc::default() };
        let behaviour = Arc::clone(&proxy.behaviour);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let behaviour = Arc::clone(&behaviour);
                // A server that is stopped refuses the connection; so does the proxy then.
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else { continue };
                let (from_client, to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                thread::spawn(move || pass(from_client, to_server, || false));
                thread::spawn(move || pass(server, client, || behaviour.cuts()));
            }
        });
        proxy
    }

    pub(crate) fn lose(&self, percent: u32) {
        self.behaviour.losing.store(percent, Ordering::Relaxed);
    }

    pub(crate) fn cuts(&self) -> u32 {
        self.behaviour.cuts.load(Ordering::Relaxed)
    }
}

impl Behaviour {
    fn cuts(&self) -> bool {
        let cuts = fastrand::u32(0..100) < self.losing.load(Ordering::Relaxed);
        self.cuts.fetch_add(u32::from(cuts), Ordering::Relaxed);
        cuts
    }
}

/// Copies until the end of the connection, or until it is to be cut.
fn pass(mut from: TcpStream, mut to: TcpStream, mut is_cut: impl FnMut() -> bool) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(len @ 1..) = from.read(&mut buffer) {
        if is_cut() || to.write_all(&buffer[..len]).is_err() {
            break;
        }
    }
    for stream in [from, to] {
        // Fails only if the connection has ended already.
        let _ = stream.shutdown(Shutdown::Both);
    }
}
