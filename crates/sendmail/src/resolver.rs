//! DNS lookups through the resolvers in `/etc/resolv.conf`.
//!
//! The crate `simple-dns` reads and writes the messages. The stub resolvers of `domain` and hickory do not ask for the AD bit or
//! do not show it, and DANE needs it.

use std::{
    fmt, fs, io,
    net::{IpAddr, SocketAddr},
    path::Path,
    string::FromUtf8Error,
    time::Duration,
};

use simple_dns::{
    PacketFlag, RCODE, TYPE,
    rdata::{RData, TXT},
};
use tokio::time::timeout;

use crate::exchange::{Answer, Query, by_datagram, by_stream};

const CONFIGURATION: &str = "/etc/resolv.conf";
/// The port of DNS.
pub const PORT: u16 = 53;
/// The defaults of `resolv.conf(5)`, for a server that is named otherwise.
const USUAL_TIMEOUT: Duration = Duration::from_secs(5);
const USUAL_ATTEMPTS: u32 = 2;
/// TLSA (RFC 6698 section 7.1), which the crate does not know.
const TLSA: u16 = 52;

/// The resolvers of this host. Like Sendmail, this program trusts their AD bit, which states that DNSSEC validated an
/// answer.
#[derive(Debug, Clone)]
pub struct Resolver {
    servers: Vec<SocketAddr>,
    timeout: Duration,
    attempts: u32,
}

/// The TLSA records of a name.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tlsa {
    /// The records as policy strings: `3 1 1 0123...`
    pub records: Vec<String>,
    /// Whether DNSSEC validated them.
    pub validated: bool,
}

/// A server answers that it cannot answer.
#[derive(Debug, Clone, Copy)]
pub struct ServerFailed {
    /// The address of the server.
    pub server: SocketAddr,
    code: RCODE,
}

impl ServerFailed {
    /// Whether this is the error of a lookup.
    #[must_use]
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

impl fmt::Display for ServerFailed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} answers {:?}", self.server, self.code)
    }
}

impl std::error::Error for ServerFailed {}

impl Resolver {
    /// Queries these servers in turn, each up to `attempts` times. `timeout` limits one exchange with one server, over
    /// UDP and TCP together.
    #[must_use]
    pub fn new(servers: Vec<SocketAddr>, timeout: Duration, attempts: u32) -> Self {
        Self { servers, timeout, attempts }
    }

    /// The resolver at one address instead of those of this host, with the usual times.
    #[must_use]
    pub fn at(server: SocketAddr) -> Self {
        Self::new(vec![server], USUAL_TIMEOUT, USUAL_ATTEMPTS)
    }

    /// Reads the configuration of this host.
    ///
    /// # Errors
    ///
    /// `/etc/resolv.conf` cannot be read or parsed.
    pub fn of_system() -> io::Result<Self> {
        Self::of_file(Path::new(CONFIGURATION))
    }

    /// Reads another file of the same form, for instance that of a chroot. Without the file, the resolver is at this host, as for
    /// the system.
    ///
    /// # Errors
    ///
    /// The file cannot be read or parsed.
    pub fn of_file(file: &Path) -> io::Result<Self> {
        match fs::read(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && file != Path::new(CONFIGURATION) => {
                Self::read(b"")
            }
            text => Self::read(&text?),
        }
    }

    fn read(configuration: &[u8]) -> io::Result<Self> {
        let read = resolv_conf::Config::parse(configuration).map_err(io::Error::other)?;
        let servers =
            read.get_nameservers_or_local().iter().map(|server| (IpAddr::from(server), PORT).into()).collect();
        Ok(Self::new(servers, Duration::from_secs(read.timeout.max(1).into()), read.attempts.max(1)))
    }

    /// The TXT records of a name, each with its strings joined.
    ///
    /// # Errors
    ///
    /// No server gives a usable answer.
    pub async fn texts(&self, name: &str) -> io::Result<Vec<Vec<u8>>> {
        let answer = self.ask(name, TYPE::TXT).await?;
        let records = answer.parse()?.answers.into_iter();
        Ok(records
            .filter_map(|record| if let RData::TXT(text) = record.rdata { Some(joined(text)) } else { None })
            .collect())
    }

    /// The TLSA records of a name.
    ///
    /// # Errors
    ///
    /// No server gives a usable answer.
    pub async fn tlsa(&self, name: &str) -> io::Result<Tlsa> {
        let answer = self.ask(name, TYPE::Unknown(TLSA)).await?;
        let answer = answer.parse()?;
        let records = answer.answers.iter().filter_map(|record| match &record.rdata {
            RData::NULL(TLSA, data) => policy_string(data.get_data()),
            _ => None,
        });
        Ok(Tlsa { records: records.collect(), validated: answer.has_flags(PacketFlag::AUTHENTIC_DATA) })
    }

    /// Whether DNSSEC validated the MX records of a domain, or their absence.
    ///
    /// # Errors
    ///
    /// No server gives a usable answer.
    pub async fn mx_is_validated(&self, domain: &str) -> io::Result<bool> {
        Ok(self.ask(domain, TYPE::MX).await?.parse()?.has_flags(PacketFlag::AUTHENTIC_DATA))
    }

    /// Whether DNSSEC validated the start of authority of a zone.
    ///
    /// # Errors
    ///
    /// No server gives a usable answer.
    pub async fn zone_is_validated(&self, zone: &str) -> io::Result<bool> {
        Ok(self.ask(zone, TYPE::SOA).await?.parse()?.has_flags(PacketFlag::AUTHENTIC_DATA))
    }

    /// The first usable answer. "No such name" is one.
    pub(crate) async fn ask(&self, name: &str, kind: TYPE) -> io::Result<Answer> {
        let mut problem = io::Error::other("no resolver is configured");
        for _ in 0..self.attempts {
            for server in &self.servers {
                match self.ask_server(*server, name, kind).await {
                    Ok(answer) => return Ok(answer),
                    Err(error) => problem = error,
                }
            }
        }
        Err(problem)
    }

    async fn ask_server(&self, server: SocketAddr, name: &str, kind: TYPE) -> io::Result<Answer> {
        let query = Query::new(name, kind)?;
        let exchange = async {
            let answer = by_datagram(server, &query).await?;
            if answer.is_whole() { Ok(answer) } else { by_stream(server, &query).await }
        };
        let answer = timeout(self.timeout, exchange).await.map_err(|_| {
            let seconds = self.timeout.as_secs_f32();
            io::Error::new(io::ErrorKind::TimedOut, format!("no answer from {server} within {seconds} s"))
        })??;
        match answer.parse()?.rcode() {
            RCODE::NoError | RCODE::NameError => Ok(answer),
            code => Err(io::Error::other(ServerFailed { server, code })),
        }
    }
}

/// The strings of a TXT record, joined. They need not be UTF-8.
pub(crate) fn joined(text: TXT<'_>) -> Vec<u8> {
    String::try_from(text).map_or_else(FromUtf8Error::into_bytes, String::into_bytes)
}

/// The data of a TLSA record as a policy string.
fn policy_string(data: &[u8]) -> Option<String> {
    let [usage, selector, matching, association @ ..] = data else { return None };
    let hex: String = association.iter().map(|byte| format!("{byte:02X}")).collect();
    Some(format!("{usage} {selector} {matching} {hex}"))
}

#[cfg(test)]
mod tests {
    use super::{PORT, Resolver, policy_string};

    #[test]
    fn reads_the_systems_configuration() {
        let read =
            Resolver::read(b"nameserver 192.0.2.53\nnameserver 2001:db8::53\noptions timeout:2 attempts:3\n").unwrap();
        let servers: Vec<_> = read.servers.iter().map(ToString::to_string).collect();
        assert_eq!(servers, ["192.0.2.53:53", "[2001:db8::53]:53"]);
        assert_eq!((read.timeout.as_secs(), read.attempts), (2, 3));
        let empty = Resolver::read(b"").unwrap();
        assert!(empty.servers.iter().all(|server| server.ip().is_loopback() && server.port() == PORT));
    }

    #[test]
    fn writes_tlsa_records_as_policies_have_them() {
        assert_eq!(policy_string(&[3, 1, 1, 0xab, 0x01]).as_deref(), Some("3 1 1 AB01"));
        assert_eq!(policy_string(&[3, 1]), None);
    }
}
