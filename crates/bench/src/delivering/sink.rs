//! A mail server and an HTTPS server that accept and discard every report.

use std::{
    error::Error,
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

/// The certificate of the HTTPS server, for 127.0.0.1.
const CERTIFICATE: &[u8] = include_bytes!("../../../deliver/tests/keys/sound.pem");
const KEY: &[u8] = include_bytes!("../../../deliver/tests/keys/server-key.pem");

/// A server.
#[derive(Debug)]
pub(crate) struct Sink {
    pub(crate) port: u16,
    reports: Arc<AtomicUsize>,
}

impl Sink {
    /// A mail server at a free port, as long as this program runs.
    pub(crate) fn mail() -> io::Result<Self> {
        Self::start(serve_mail)
    }

    /// An HTTPS server at a free port, as long as this program runs.
    pub(crate) fn https() -> Result<Self, Box<dyn Error>> {
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(
                vec![CertificateDer::from_pem_slice(CERTIFICATE)?],
                PrivateKeyDer::from_pem_slice(KEY)?,
            )?;
        let config = Arc::new(config);
        Ok(Self::start(move |stream, reports| serve_https(stream, &config, reports))?)
    }

    fn start(serve: impl Fn(TcpStream, &AtomicUsize) -> io::Result<()> + Send + Sync + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let (reports, serve) = (Arc::new(AtomicUsize::new(0)), Arc::new(serve));
        let counter = Arc::clone(&reports);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (counter, serve) = (Arc::clone(&counter), Arc::clone(&serve));
                thread::spawn(move || stream.and_then(|stream| serve(stream, &counter)));
            }
        });
        Ok(Self { port, reports })
    }

    /// The number of accepted reports.
    pub(crate) fn reports(&self) -> usize {
        self.reports.load(Ordering::SeqCst)
    }
}

fn serve_mail(stream: TcpStream, mails: &AtomicUsize) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut out = stream.try_clone()?;
    let mut lines = BufReader::new(stream);
    let (mut line, mut is_in_mail) = (Vec::new(), false);
    out.write_all(b"220 sink\r\n")?;
    while lines.read_until(b'\n', &mut line)? > 0 {
        if !is_in_mail && line == b"DATA\r\n" {
            is_in_mail = true;
            out.write_all(b"354 go on\r\n")?;
        } else if !is_in_mail {
            out.write_all(b"250 fine\r\n")?;
        } else if line == b".\r\n" {
            is_in_mail = false;
            mails.fetch_add(1, Ordering::SeqCst);
            out.write_all(b"250 taken\r\n")?;
        }
        line.clear();
    }
    Ok(())
}

/// Serves one request.
fn serve_https(stream: TcpStream, config: &Arc<ServerConfig>, requests: &AtomicUsize) -> io::Result<()> {
    let connection = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
    let mut tls = BufReader::new(StreamOwned::new(connection, stream));
    let (mut line, mut length) = (String::new(), 0);
    while tls.read_line(&mut line)? > 0 && line != "\r\n" {
        if let Some(text) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = text.trim().parse().map_err(io::Error::other)?;
        }
        line.clear();
    }
    let body = io::copy(&mut (&mut tls).take(length), &mut io::sink())?;
    if body < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    requests.fetch_add(1, Ordering::SeqCst);
    let mut tls = tls.into_inner();
    tls.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")?;
    tls.conn.send_close_notify();
    tls.flush()
}
