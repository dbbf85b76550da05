//! A server that reports are posted to, scripted. The tests of the command use it too.

#![allow(dead_code, reason = "each test uses a part of it")]

mod tls;

use std::{
    fs,
    io::{self, Read, Write},
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

pub(crate) use tls::Tls;
use tls::{key_file, server_config};

/// A certificate authority, and the certificate of a server that it signed.
pub(crate) struct Certificates {
    pub(crate) authority: Vec<u8>,
    pub(crate) server: Arc<ServerConfig>,
}

/// What is wrong with the certificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    None,
    Expired,
    OtherHost,
    OtherAuthority,
}

pub(crate) fn certificates(fault: Fault) -> Certificates {
    let certificate = match fault {
        Fault::None => "sound",
        Fault::Expired => "expired",
        Fault::OtherHost => "other-host",
        Fault::OtherAuthority => "other-authority",
    };
    Certificates { authority: fs::read(key_file("authority.der")).unwrap(), server: server_config(certificate) }
}

/// A server that reads each request and answers as it is told. Its port, and how many requests came.
pub(crate) fn serve(
    server: Arc<ServerConfig>,
    act: impl Fn(&mut Tls) + Send + Sync + 'static,
) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let requests = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&requests);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&server)).unwrap();
            let mut tls = StreamOwned::new(connection, stream.unwrap());
            if let Ok(header) = request(&mut tls) {
                counter.fetch_add(1, Ordering::SeqCst);
                assert!(header.contains("content-type: application/tlsrpt+gzip"), "{header}");
                act(&mut tls);
            }
        }
    });
    (port, requests)
}

/// The header of a request in lower case, once its body is read.
fn request(tls: &mut Tls) -> io::Result<String> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        tls.read_exact(&mut byte)?;
        bytes.push(byte[0]);
    }
    let header = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
    let length = header.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
    tls.read_exact(&mut vec![0; length.parse().unwrap()])?;
    Ok(header)
}

pub(crate) fn answering(text: &str) -> impl Fn(&mut Tls) + Send + Sync + use<> {
    let text = text.to_owned();
    move |tls| {
        let _ = tls.write_all(text.as_bytes());
        tls.conn.send_close_notify();
        let _ = tls.flush();
    }
}
