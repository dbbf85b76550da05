//! Connects to destinations to see their TLS certificates. No report is sent.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    time::{Duration, Instant},
};

use rustls::{ClientConfig, ClientConnection, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName};
use tlsrpt_check::{Finding, Remedy};

const CHECK: &str = "certificate";
/// How long the probe of one host may take.
const LONGEST_PROBE: Duration = Duration::from_secs(10);
/// The most bytes of a reply of a mail server.
const LONGEST_REPLY: usize = 16 << 10;

/// Connects to destinations.
#[derive(Debug)]
pub(crate) struct Prober {
    configuration: Arc<ClientConfig>,
    /// The name for EHLO.
    hello_name: String,
}

impl Prober {
    /// Trusts these certification authorities, in DER.
    pub(crate) fn new(authorities: Vec<Vec<u8>>, hello_name: String) -> Result<Self, rustls::Error> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(authorities.into_iter().map(CertificateDer::from));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let configuration = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { configuration: Arc::new(configuration), hello_name })
    }

    /// The certificate of a web server, at the first of the places that can be reached.
    pub(super) fn https(&self, host: &str, places: &[SocketAddr], end: Instant) -> Finding {
        let end = bounded(end);
        let mut problem = io::Error::from(ErrorKind::AddrNotAvailable);
        for place in places {
            match Bounded::connect(*place, end) {
                Ok(stream) => return of_handshake(host, *place, self.handshake(stream, host), Finding::fail),
                Err(error) => problem = error,
            }
        }
        let places = places.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        Finding::fail(
            CHECK,
            format!("{host}: cannot connect to {places}: {problem}"),
            Remedy::words("let reporters connect"),
        )
    }

    /// The certificate of a mail server, after STARTTLS. Mail is delivered in spite of a bad one, unless MTA-STS forbids it.
    pub(super) fn mail_host(&self, host: &str, place: Option<SocketAddr>, end: Instant) -> Finding {
        let host = host.strip_suffix('.').unwrap_or(host);
        let Some(place) = place else {
            return Finding::warn(
                CHECK,
                format!("{host} has no public address"),
                Remedy::words("publish the address of a mail server"),
            );
        };
        let asked = Bounded::connect(place, bounded(end)).and_then(|stream| self.start_tls(stream));
        match asked {
            Ok(Some(stream)) => of_handshake(host, place, self.handshake(stream, host), Finding::warn),
            Ok(None) => {
                let message = format!("{host} ({place}) does not offer STARTTLS: reports come unencrypted");
                Finding::warn(CHECK, message, Remedy::words("configure TLS in the mail server"))
            }
            Err(error) => {
                let message = format!("{host} ({place}) does not take mail from here: {error}");
                Finding::warn(
                    CHECK,
                    message,
                    Remedy::words("see whether it listens, and whether this network may connect to port 25"),
                )
            }
        }
    }

    /// Asks for TLS. None if the server does not offer it.
    fn start_tls(&self, mut stream: Bounded) -> io::Result<Option<Bounded>> {
        expect(&mut stream, "220")?;
        stream.write_all(format!("EHLO {}\r\n", self.hello_name).as_bytes())?;
        let offer = expect(&mut stream, "250")?;
        let offers =
            offer.lines().any(|line| line.get(4..).is_some_and(|word| word.trim().eq_ignore_ascii_case("STARTTLS")));
        if !offers {
            let _ = stream.write_all(b"QUIT\r\n");
            return Ok(None);
        }
        stream.write_all(b"STARTTLS\r\n")?;
        expect(&mut stream, "220")?;
        Ok(Some(stream))
    }

    fn handshake(&self, mut stream: Bounded, host: &str) -> Result<(), String> {
        let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
        let mut connection =
            ClientConnection::new(Arc::clone(&self.configuration), name).map_err(|error| error.to_string())?;
        while connection.is_handshaking() {
            connection.complete_io(&mut stream).map_err(|error| error.to_string())?;
        }
        connection.send_close_notify();
        // The answer is known; the server may have closed.
        let _ = connection.write_tls(&mut stream);
        Ok(())
    }
}

fn bounded(end: Instant) -> Instant {
    end.min(Instant::now() + LONGEST_PROBE)
}

fn of_handshake(
    host: &str,
    place: SocketAddr,
    result: Result<(), String>,
    bad: fn(&'static str, String, Remedy) -> Finding,
) -> Finding {
    match result {
        Ok(()) => Finding::ok(CHECK, format!("{host} ({place}) has a valid certificate")),
        Err(why) => {
            bad(CHECK, format!("{host} ({place}): {why}"), Remedy::words("install a valid certificate for this name"))
        }
    }
}

/// Reads a reply of a mail server (RFC 5321 section 4.2), which must have this code.
fn expect(stream: &mut Bounded, code: &str) -> io::Result<String> {
    let mut reply = Vec::new();
    let mut line = 0;
    loop {
        let mut byte = [0];
        // One by one: what follows the reply to STARTTLS belongs to TLS.
        stream.read_exact(&mut byte)?;
        reply.extend(byte);
        if reply.len() > LONGEST_REPLY {
            return Err(io::Error::other("its reply is too long"));
        }
        if byte == *b"\n" {
            if reply.get(line + 3) != Some(&b'-') {
                break;
            }
            line = reply.len();
        }
    }
    let reply = String::from_utf8_lossy(&reply).into_owned();
    if reply.starts_with(code) { Ok(reply) } else { Err(io::Error::other(format!("it replies {}", reply.trim_end()))) }
}

/// A connection with a time limit for all it does.
struct Bounded {
    stream: TcpStream,
    end: Instant,
}

impl Bounded {
    fn connect(place: SocketAddr, end: Instant) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&place, left(end)?)?;
        Ok(Self { stream, end })
    }
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(left(self.end)?))?;
        self.stream.read(buffer).map_err(in_time)
    }
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(left(self.end)?))?;
        self.stream.write(bytes).map_err(in_time)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

fn left(end: Instant) -> io::Result<Duration> {
    let left = end.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(no_answer()) } else { Ok(left) }
}

fn in_time(error: io::Error) -> io::Error {
    if error.kind() == ErrorKind::WouldBlock { no_answer() } else { error }
}

fn no_answer() -> io::Error {
    io::Error::new(ErrorKind::TimedOut, format!("no answer within {} s", LONGEST_PROBE.as_secs()))
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        io::{Read, Write},
        net::{SocketAddr, TcpListener, TcpStream},
        path::Path,
        sync::Arc,
        thread,
        time::{Duration, Instant},
    };

    use rustls::{ServerConfig, ServerConnection, StreamOwned};
    use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
    use tlsrpt_check::{Finding, Status};

    use super::Prober;

    const KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../deliver/tests/keys");

    /// Starts a mail server for one connection.
    fn server(behave: impl FnOnce(TcpStream) + Send + 'static) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || behave(listener.accept().unwrap().0));
        address
    }

    fn probe(place: SocketAddr, limit: Duration) -> Finding {
        let authority = fs::read(Path::new(KEYS).join("authority.der")).unwrap();
        let prober = Prober::new(vec![authority], "probe.example".into()).unwrap();
        prober.mail_host("127.0.0.1", Some(place), Instant::now() + limit)
    }

    fn say(stream: &mut TcpStream, text: &str) {
        // The client may have gone.
        let _ = stream.write_all(text.as_bytes());
    }

    fn hear(stream: &mut TcpStream) {
        let _ = stream.read(&mut [0; 1024]);
    }

    fn with_tls(certificate: &'static str) -> SocketAddr {
        server(move |mut stream| {
            let file = |name: &str| Path::new(KEYS).join(format!("{name}.pem"));
            let chain = CertificateDer::pem_file_iter(file(certificate)).unwrap().map(Result::unwrap).collect();
            let key = PrivateKeyDer::from_pem_file(file("server-key")).unwrap();
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let settings = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
            let settings = settings.with_no_client_auth().with_single_cert(chain, key).unwrap();
            say(&mut stream, "220-hello\r\n220 there\r\n");
            hear(&mut stream);
            say(&mut stream, "250-a\r\n250-STARTTLS\r\n250 SIZE 1\r\n");
            hear(&mut stream);
            say(&mut stream, "220 go\r\n");
            let connection = ServerConnection::new(Arc::new(settings)).unwrap();
            let _ = StreamOwned::new(connection, stream).read(&mut [0]);
        })
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn the_certificate_after_starttls() {
        let found = probe(with_tls("sound"), LONG);
        assert_eq!(found.status, Status::Ok, "{found:?}");
        let found = probe(with_tls("expired"), LONG);
        assert!(found.status == Status::Warn && found.message.contains("certificate expired"), "{found:?}");
    }

    #[test]
    fn servers_without_tls_and_servers_that_refuse() {
        let without = server(|mut stream| {
            say(&mut stream, "220 hello\r\n");
            hear(&mut stream);
            say(&mut stream, "250-NOSTARTTLS\r\n250 XSTARTTLS\r\n");
            hear(&mut stream);
        });
        let found = probe(without, LONG);
        assert!(found.message.contains("does not offer STARTTLS"), "{found:?}");
        let refusing = server(|mut stream| say(&mut stream, "554 go away\r\n"));
        let found = probe(refusing, LONG);
        assert!(found.message.contains("it replies 554 go away"), "{found:?}");
    }

    #[test]
    fn hostile_servers_take_neither_memory_nor_time() {
        let endless = server(|mut stream| while stream.write_all(&[b'2'; 4096]).is_ok() {});
        let found = probe(endless, LONG);
        assert!(found.message.contains("its reply is too long"), "{found:?}");
        let silent = server(|mut stream| hear(&mut stream));
        let found = probe(silent, Duration::from_millis(200));
        assert!(found.message.contains("no answer within"), "{found:?}");
    }
}
