//! Servers that take every report, and keep what came in the order in which it came.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

/// One report that a server took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// The recipient or the path of the URL.
    pub(crate) to: String,
    /// The Message-ID of a mail; nothing for HTTPS.
    pub(crate) message_id: String,
    /// The report id, of the Subject or of the JSON.
    pub(crate) report_id: String,
}

/// What came, for all servers together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Arrivals(Arc<Mutex<Vec<Arrival>>>);

impl Arrivals {
    fn push(&self, arrival: Arrival) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(arrival);
    }

    pub(crate) fn number(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    pub(crate) fn all(&self) -> Vec<Arrival> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Serves each connection in a thread of its own. The port.
fn listen(serve: impl Fn(TcpStream) -> io::Result<()> + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let serve = Arc::clone(&serve);
            // A client that is killed breaks its connections.
            thread::spawn(move || stream.and_then(|stream| serve(stream)));
        }
    });
    port
}

/// A mail server. A mail has arrived when its last line has, whether or not the client reads the answer.
pub(crate) fn smtp(arrivals: Arrivals) -> u16 {
    listen(move |stream| {
        let mut out = stream.try_clone()?;
        let mut lines = BufReader::new(stream).lines();
        let mut to = String::new();
        out.write_all(b"220 sink\r\n")?;
        while let Some(line) = lines.next().transpose()? {
            if let Some(recipient) = line.strip_prefix("RCPT TO:<") {
                to = recipient.split('>').next().unwrap_or_default().to_owned();
            }
            if line == "DATA" {
                out.write_all(b"354 go on\r\n")?;
                let mut mail = String::new();
                loop {
                    match lines.next().transpose()? {
                        None => return Ok(()),
                        Some(line) if line == "." => break,
                        Some(line) => mail.push_str(&format!("{line}\n")),
                    }
                }
                let header = unfolded_header(&mail);
                let subject = field(&header, "Subject: ");
                arrivals.push(Arrival {
                    to: to.clone(),
                    message_id: field(&header, "Message-ID: ").to_owned(),
                    report_id: subject.rsplit('<').next().unwrap_or_default().trim_end_matches('>').to_owned(),
                });
            }
            out.write_all(b"250 fine\r\n")?;
        }
        Ok(())
    })
}

fn unfolded_header(mail: &str) -> String {
    mail.split("\n\n").next().unwrap_or_default().replace("\n ", " ")
}

fn field<'h>(header: &'h str, name: &str) -> &'h str {
    header.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default()
}

/// A web server with a certificate that `authority()` signed. A report has arrived when its last byte has.
pub(crate) fn https(arrivals: Arrivals) -> u16 {
    let config = Arc::new(server_config());
    listen(move |stream| {
        let connection = ServerConnection::new(Arc::clone(&config)).map_err(io::Error::other)?;
        let mut tls = BufReader::new(StreamOwned::new(connection, stream));
        let (mut path, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if tls.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let line = line.trim_end();
            if let Some(rest) = line.strip_prefix("POST ") {
                path = rest.split(' ').next().unwrap_or_default().to_owned();
            }
            if let Some(text) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = text.trim().parse().map_err(io::Error::other)?;
            }
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        tls.read_exact(&mut body)?;
        let report: serde_json::Value = serde_json::from_reader(flate2::read::GzDecoder::new(&body[..]))?;
        let report_id = report["report-id"].as_str().unwrap_or_default().to_owned();
        arrivals.push(Arrival { to: path, message_id: String::new(), report_id });
        let tls = tls.get_mut();
        tls.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")?;
        tls.conn.send_close_notify();
        tls.flush()
    })
}

/// The keys and certificates of the tests of the reporter.
fn key_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deliver/tests/keys").join(name)
}

/// The certificate authority of the web server, in PEM.
pub(crate) fn authority() -> PathBuf {
    key_file("authority.pem")
}

fn server_config() -> ServerConfig {
    let certificate = CertificateDer::from_pem_file(key_file("sound.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(key_file("server-key.pem")).unwrap();
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap()
}
