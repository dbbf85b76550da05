//! Asks a socket map, such as the program that looks up MTA-STS policies for Postfix.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, SocketAddr, TcpStream},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use tlsrpt_sendmail::netstring::{Frame, LONGEST, first};

/// How long an answer may take.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(4);

/// `socketmap:inet:HOST:PORT:NAME` or `socketmap:unix:PATH:NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SocketMap<'a> {
    pub(crate) place: Place<'a>,
    pub(crate) name: &'a str,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place<'a> {
    Inet(&'a str, u16),
    Unix(&'a str),
}

impl<'a> SocketMap<'a> {
    pub(crate) fn read(table: &'a str) -> Option<Self> {
        let (place, name) = table.strip_prefix("socketmap:")?.rsplit_once(':')?;
        let place = match place.split_once(':')? {
            ("inet", place) => {
                let (host, port) = place.rsplit_once(':')?;
                Place::Inet(host.trim_matches(['[', ']']), port.parse().ok()?)
            }
            ("unix", path) => Place::Unix(path),
            _ => return None,
        };
        Some(Self { place, name })
    }

    /// The answer to a key. None if the host is given by name: only this host and addresses are asked.
    pub(crate) fn ask(&self, key: &str, queue: &Path) -> Option<io::Result<String>> {
        match &self.place {
            Place::Inet(host, port) => {
                let address: IpAddr = if *host == "localhost" { [127, 0, 0, 1].into() } else { host.parse().ok()? };
                let address = SocketAddr::new(address, *port);
                Some(TcpStream::connect_timeout(&address, LONGEST_WAIT).and_then(|stream| {
                    stream.set_write_timeout(Some(LONGEST_WAIT))?;
                    self.exchange(key, stream, TcpStream::set_read_timeout)
                }))
            }
            Place::Unix(path) => {
                let path: PathBuf = queue.join(path);
                Some(UnixStream::connect(path).and_then(|stream| {
                    stream.set_write_timeout(Some(LONGEST_WAIT))?;
                    self.exchange(key, stream, UnixStream::set_read_timeout)
                }))
            }
        }
    }

    fn exchange<S: Read + Write>(
        &self,
        key: &str,
        mut stream: S,
        set_timeout: impl Fn(&S, Option<Duration>) -> io::Result<()>,
    ) -> io::Result<String> {
        let end = Instant::now() + LONGEST_WAIT;
        let question = format!("{} {key}", self.name);
        // In one piece: a server may answer and close after its first read.
        stream.write_all(format!("{}:{question},", question.len()).as_bytes())?;
        let mut answer = Vec::new();
        loop {
            match first(&answer) {
                Frame::Whole(text, _) => return Ok(String::from_utf8_lossy(text).into_owned()),
                Frame::Broken => return Err(io::Error::other("its answer is not a netstring")),
                Frame::Partial if answer.len() > 2 * LONGEST => return Err(io::Error::other("its answer is too long")),
                Frame::Partial => {}
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            set_timeout(&stream, Some(left))?;
            let mut buffer = [0; 1024];
            match stream.read(&mut buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(length) => answer.extend_from_slice(&buffer[..length]),
                // A call with a time-out returns this also after the process was stopped and continued.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::{
        io::{Read, Write},
        net::TcpListener,
        path::Path,
        thread,
    };

    use super::{Place, SocketMap};

    /// A map that gives one answer. Returns its table.
    pub(crate) fn map(name: &str, answer: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            let (mut client, _) = listener.accept().unwrap();
            let _ = client.read(&mut [0; 1024]).unwrap();
            let _ = write!(client, "{answer}");
        });
        format!("socketmap:inet:127.0.0.1:{port}:{name}")
    }

    #[test]
    fn tables_are_read() {
        let read = |table| SocketMap::read(table).map(|map| (map.place, map.name));
        assert_eq!(read("socketmap:inet:127.0.0.1:8642:QUERY"), Some((Place::Inet("127.0.0.1", 8642), "QUERY")));
        assert_eq!(read("socketmap:unix:/run/a.sock:QUERY"), Some((Place::Unix("/run/a.sock"), "QUERY")));
        assert_eq!(read("hash:/etc/postfix/tls_policy"), None);
    }

    #[test]
    fn a_map_is_asked() {
        let ask = |answer| {
            let table = map("postfix", answer);
            SocketMap::read(&table).unwrap().ask("a.example", Path::new("/")).unwrap()
        };
        assert_eq!(ask("9:OK secure,").unwrap(), "OK secure");
        assert!(ask("x").is_err() && ask("9:OK").is_err());
    }
}
