//! Questions to the resolvers that `/etc/resolv.conf` names.

use std::{
    fs,
    hash::{BuildHasher, RandomState},
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket},
    time::Duration,
};

use domain::{
    base::{Message, MessageBuilder, Name, Rtype, UnknownRecordData, iana::Rcode, name::FromStrError},
    rdata::Txt,
};

const CONFIGURATION: &str = "/etc/resolv.conf";
const PORT: u16 = 53;
/// A datagram of this size is not fragmented on the way.
const LARGEST_DATAGRAM: u16 = 1232;

/// The resolvers of this host. They are trusted, as Sendmail trusts them, with whether an answer was validated.
#[derive(Debug)]
pub struct Resolver {
    servers: Vec<SocketAddr>,
    timeout: Duration,
    attempts: u32,
}

/// The TLSA records of a name.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tlsa {
    /// Each as a policy string has it: `3 1 1 0123...`
    pub records: Vec<String>,
    /// Whether DNSSEC vouches for them.
    pub validated: bool,
}

type Query = Message<Vec<u8>>;
type Answer = Message<Vec<u8>>;

impl Resolver {
    /// Reads which resolvers there are.
    ///
    /// # Errors
    ///
    /// `/etc/resolv.conf` cannot be read or understood.
    pub fn of_system() -> io::Result<Self> {
        Self::read(&fs::read(CONFIGURATION)?)
    }

    fn read(configuration: &[u8]) -> io::Result<Self> {
        let read = resolv_conf::Config::parse(configuration).map_err(io::Error::other)?;
        let servers =
            read.get_nameservers_or_local().iter().map(|server| (IpAddr::from(server), PORT).into()).collect();
        Ok(Self { servers, timeout: Duration::from_secs(read.timeout.max(1).into()), attempts: read.attempts.max(1) })
    }

    /// The TXT records of a name, each with its strings joined.
    ///
    /// # Errors
    ///
    /// No resolver gave an answer.
    pub fn texts(&self, name: &str) -> io::Result<Vec<Vec<u8>>> {
        let answer = self.ask(name, Rtype::TXT)?;
        let records = answer.answer().map_err(io::Error::other)?.limit_to::<Txt<_>>();
        Ok(records.flatten().map(|record| record.data().text()).collect())
    }

    /// The TLSA records of a name.
    ///
    /// # Errors
    ///
    /// No resolver gave an answer.
    pub fn tlsa(&self, name: &str) -> io::Result<Tlsa> {
        let answer = self.ask(name, Rtype::TLSA)?;
        let records = answer.answer().map_err(io::Error::other)?.limit_to::<UnknownRecordData<_>>().flatten();
        let records = records.filter(|record| record.rtype() == Rtype::TLSA);
        let records = records.filter_map(|record| policy_string(record.data().data())).collect();
        Ok(Tlsa { records, validated: answer.header().ad() })
    }

    /// Whether DNSSEC vouches for the MX records of a domain, or for that it has none.
    ///
    /// # Errors
    ///
    /// No resolver gave an answer.
    pub fn mx_is_validated(&self, domain: &str) -> io::Result<bool> {
        Ok(self.ask(domain, Rtype::MX)?.header().ad())
    }

    /// The answer to one question: that there is no such name is one, too.
    fn ask(&self, name: &str, kind: Rtype) -> io::Result<Answer> {
        let mut problem = io::Error::other("no resolver is configured");
        for _ in 0..self.attempts {
            for server in &self.servers {
                match self.ask_server(*server, name, kind) {
                    Ok(answer) => return Ok(answer),
                    Err(error) => problem = error,
                }
            }
        }
        Err(problem)
    }

    fn ask_server(&self, server: SocketAddr, name: &str, kind: Rtype) -> io::Result<Answer> {
        let query = query(name, kind)?;
        let mut answer = self.ask_by_datagram(server, &query)?;
        if answer.header().tc() {
            answer = self.ask_by_stream(server, &query)?;
        }
        match answer.header().rcode() {
            Rcode::NOERROR | Rcode::NXDOMAIN => Ok(answer),
            other => Err(io::Error::other(format!("{server} answers {other} for {name}"))),
        }
    }

    fn ask_by_datagram(&self, server: SocketAddr, query: &Query) -> io::Result<Answer> {
        let socket = UdpSocket::bind((unspecified_like(server.ip()), 0))?;
        socket.connect(server)?;
        socket.set_read_timeout(Some(self.timeout))?;
        socket.send(query.as_slice())?;
        let mut buffer = vec![0; LARGEST_DATAGRAM.into()];
        loop {
            let length = socket.recv(&mut buffer)?;
            // What answers something else is not for us: it is late, or forged.
            if let Ok(answer) = read_answer(buffer[..length].to_vec(), query) {
                return Ok(answer);
            }
        }
    }

    fn ask_by_stream(&self, server: SocketAddr, query: &Query) -> io::Result<Answer> {
        let mut stream = TcpStream::connect_timeout(&server, self.timeout)?;
        stream.set_read_timeout(Some(self.timeout))?;
        let length = u16::try_from(query.as_slice().len()).map_err(io::Error::other)?;
        stream.write_all(&[&length.to_be_bytes(), query.as_slice()].concat())?;
        let mut length = [0; 2];
        stream.read_exact(&mut length)?;
        let mut answer = vec![0; u16::from_be_bytes(length).into()];
        stream.read_exact(&mut answer)?;
        read_answer(answer, query)
    }
}

/// Any address of this host, of the same kind as another's.
pub(crate) fn unspecified_like(address: IpAddr) -> IpAddr {
    if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() }
}

fn query(name: &str, kind: Rtype) -> io::Result<Query> {
    let name: Name<Vec<u8>> =
        name.parse().map_err(|error: FromStrError| io::Error::other(format!("{name}: {error}")))?;
    let mut message = MessageBuilder::new_vec();
    let header = message.header_mut();
    header.set_id(unpredictable());
    header.set_rd(true);
    header.set_ad(true);
    let mut question = message.question();
    question.push((name, kind)).map_err(io::Error::other)?;
    let mut additional = question.additional();
    additional
        .opt(|options| {
            options.set_udp_payload_size(LARGEST_DATAGRAM);
            Ok(())
        })
        .map_err(io::Error::other)?;
    Ok(additional.into_message())
}

/// Reads a message, which must be an answer to this query.
fn read_answer(bytes: Vec<u8>, query: &Query) -> io::Result<Answer> {
    let answer = Message::from_octets(bytes).map_err(io::Error::other)?;
    if answer.is_answer(query) { Ok(answer) } else { Err(io::Error::other("the answer is to another question")) }
}

/// The data of a TLSA record in the form in which policies have it.
fn policy_string(data: &[u8]) -> Option<String> {
    let [usage, selector, matching, association @ ..] = data else { return None };
    let hex: String = association.iter().map(|byte| format!("{byte:02X}")).collect();
    Some(format!("{usage} {selector} {matching} {hex}"))
}

/// A number that nobody else can guess: the seed that the standard library takes from the system.
fn unpredictable() -> u16 {
    let [first, second, ..] = RandomState::new().hash_one(PORT).to_ne_bytes();
    u16::from_ne_bytes([first, second])
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
