//! A mail server that takes everything, and web servers that behave as the path of the request says.

#[path = "../sinks/tls.rs"]
mod tls;

use std::{
    fs,
    io::{self, BufRead, BufReader, Write},
    net::{Ipv4Addr, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use rustls::ServerConfig;
use tls::{key_file, listen, posted, server_config};

/// The header fields that a report mail has.
pub(crate) const HEADERS: [&str; 12] = [
    "From",
    "To",
    "Date",
    "Message-ID",
    "Subject",
    "TLS-Report-Domain",
    "TLS-Report-Submitter",
    "TLS-Required",
    "Auto-Submitted",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
];
/// A case that waits for the end of its time gives up before.
const SLOW: Duration = Duration::from_millis(200);

/// A mail that came.
#[derive(Debug, Clone)]
pub(crate) struct Mail {
    /// What the report is about.
    pub(crate) domain: String,
    pub(crate) to: String,
    pub(crate) recipients: usize,
    /// The names of its header fields.
    pub(crate) headers: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct MailServer {
    pub(crate) port: u16,
    mails: Arc<Mutex<Vec<Mail>>>,
}

impl MailServer {
    pub(crate) fn start() -> Self {
        let mails = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&mails);
        Self { port: listen(Ipv4Addr::LOCALHOST, move |stream| take_mails(stream, &all)), mails }
    }

    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.mails.lock().unwrap().clone()
    }
}

fn take_mails(stream: TcpStream, mails: &Mutex<Vec<Mail>>) -> io::Result<()> {
    let mut out = stream.try_clone()?;
    let mut lines = BufReader::new(stream).lines();
    let (mut to, mut recipients) = (String::new(), 0);
    out.write_all(b"220 sink\r\n")?;
    while let Some(line) = lines.next().transpose()? {
        if line.starts_with("MAIL") {
            recipients = 0;
        }
        if let Some(recipient) = line.strip_prefix("RCPT TO:<") {
            to = recipient.trim_end_matches('>').to_owned();
            recipients += 1;
        }
        if line == "DATA" {
            out.write_all(b"354 go on\r\n")?;
            let mut mail = String::new();
            for line in lines.by_ref() {
                match line?.as_str() {
                    "." => break,
                    line => mail.push_str(&format!("{line}\n")),
                }
            }
            let header = header(&mail);
            let headers = header.lines().map(|line| line.split(':').next().unwrap_or_default().to_owned()).collect();
            mails.lock().unwrap().push(Mail { domain: domain_of(&mail), to: to.clone(), recipients, headers });
        }
        out.write_all(b"250 fine\r\n")?;
    }
    Ok(())
}

/// The header of a mail, each field in one line.
fn header(mail: &str) -> String {
    let mail = mail.replace("\r\n", "\n");
    mail.split("\n\n").next().unwrap_or_default().replace("\n ", " ")
}

/// What the report in a mail is about.
pub(crate) fn domain_of(mail: &str) -> String {
    let header = header(mail);
    header.lines().find_map(|line| line.strip_prefix("TLS-Report-Domain: ")).unwrap_or_default().to_owned()
}

/// Web servers on all addresses of this machine, each with another certificate.
#[derive(Debug)]
pub(crate) struct WebServers {
    /// The certificates and the ports.
    servers: Vec<(&'static str, u16)>,
    /// Domain of the report, and path.
    requests: Arc<Mutex<Vec<(String, String)>>>,
    /// Connections at another address than the permitted one.
    elsewhere: Arc<AtomicUsize>,
}

/// The certificates: the file of each in `keys`, without its ending.
const CERTIFICATES: [&str; 5] = ["sound", "expired", "other-host", "other-authority", "self-signed"];

impl WebServers {
    pub(crate) fn start() -> Self {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let elsewhere = Arc::new(AtomicUsize::new(0));
        let servers = CERTIFICATES.map(|certificate| {
            let (requests, elsewhere) = (Arc::clone(&requests), Arc::clone(&elsewhere));
            let config = server_config(certificate);
            let port = listen(Ipv4Addr::UNSPECIFIED, move |stream| {
                if stream.local_addr()?.ip() != std::net::IpAddr::from(crate::PERMITTED) {
                    elsewhere.fetch_add(1, Ordering::SeqCst);
                }
                serve(stream, &config, &requests)
            });
            (certificate, port)
        });
        Self { servers: servers.to_vec(), requests, elsewhere }
    }

    /// The port of the server with this certificate.
    pub(crate) fn port(&self, certificate: &str) -> u16 {
        self.servers.iter().find(|(name, _)| *name == certificate).unwrap().1
    }

    pub(crate) fn ports(&self) -> Vec<u16> {
        self.servers.iter().map(|(_, port)| *port).collect()
    }

    pub(crate) fn requests(&self) -> Vec<(String, String)> {
        self.requests.lock().unwrap().clone()
    }

    pub(crate) fn at_other_addresses(&self) -> usize {
        self.elsewhere.load(Ordering::SeqCst)
    }

    /// The certificate authority, in DER.
    pub(crate) fn authority(&self) -> Vec<u8> {
        fs::read(key_file("authority.der")).unwrap()
    }
}

fn serve(stream: TcpStream, config: &Arc<ServerConfig>, requests: &Mutex<Vec<(String, String)>>) -> io::Result<()> {
    let (mut tls, path, report) = posted(stream, config)?;
    let domain = report["policies"][0]["policy"]["policy-domain"].as_str().unwrap_or_default().to_owned();
    requests.lock().unwrap().push((domain, path.clone()));
    behave(&path, &mut tls)?;
    tls.conn.send_close_notify();
    tls.flush()
}

/// Answers as the path says.
fn behave(path: &str, out: &mut impl Write) -> io::Result<()> {
    let redirect = "Location: https://127.0.0.2:1/\r\nContent-Length: 0\r\n\r\n";
    match path.split('/').nth(1).unwrap_or_default() {
        "nothing" => Ok(()),
        "silence" => loop {
            thread::park();
        },
        "slow" => loop {
            out.write_all(b"H")?;
            out.flush()?;
            thread::sleep(SLOW);
        },
        "endless-header" => {
            out.write_all(b"HTTP/1.1 200 OK\r\n")?;
            loop {
                out.write_all(b"X-Filler: 0123456789012345678901234567890123456789\r\n")?;
            }
        }
        "endless-status" => loop {
            out.write_all(b"HTTP/1.1 200 OKOKOKOKOKOKOKOKOKOKOKOKOKOKOKOKOKOKOKOK")?;
        },
        "endless-body" => {
            out.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
            loop {
                out.write_all(b"8\r\n01234567\r\n")?;
            }
        }
        "redirect-301" => out.write_all(format!("HTTP/1.1 301 Moved\r\n{redirect}").as_bytes()),
        "redirect-307" => out.write_all(format!("HTTP/1.1 307 Elsewhere\r\n{redirect}").as_bytes()),
        "redirect-308" => out.write_all(format!("HTTP/1.1 308 Elsewhere\r\n{redirect}").as_bytes()),
        "words" => out.write_all(b"220 smtp.example ESMTP\r\n"),
        "escape" => out.write_all(b"HTTP/1.1 404 \x1b[2JGone\r\nContent-Length: 0\r\n\r\n"),
        "429" => out.write_all(b"HTTP/1.1 429 Slow\r\nRetry-After: 99999999999\r\nContent-Length: 0\r\n\r\n"),
        _ => out.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    }
}
