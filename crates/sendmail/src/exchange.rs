//! One DNS query to one server, over UDP or TCP. The caller sets the time limit.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use simple_dns::{CLASS, Name, Packet, PacketFlag, QTYPE, Question, TYPE, header_buffer, rdata::OPT};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
};

/// The payload size in bytes that a query announces: datagrams of this size pass every usual network in one piece.
const LONGEST_UNFRAGMENTED: u16 = 1232;

/// The longest datagram. A server that ignores the announced size must not have its answer cut here.
const LONGEST_DATAGRAM: usize = u16::MAX as usize;

/// The length of a message's header in bytes.
const HEADER: usize = 12;

/// The name of the root of DNS.
const ROOT: &str = ".";

/// The lengths of a question's type and class in bytes.
const TYPE_LENGTH: usize = 2;
const CLASS_LENGTH: usize = 2;

/// A question to a resolver.
#[derive(Debug)]
pub(crate) struct Query {
    message: Vec<u8>,
    id: u16,
    /// The offset of the end of the question in the message.
    question_end: usize,
}

impl Query {
    /// Asks for the records of one type, with a random identifier.
    ///
    /// # Errors
    ///
    /// `name` is not a domain name, or the system has no random number.
    pub(crate) fn new(name: &str, kind: TYPE) -> io::Result<Self> {
        let id = getrandom::u32()? as u16;
        let mut packet = Packet::new_query(id);
        // AD asks for the AD bit in the answer (RFC 6840 section 5.7).
        packet.set_flags(PacketFlag::RECURSION_DESIRED | PacketFlag::AUTHENTIC_DATA);
        packet.questions.push(Question::new(domain_name(name)?, kind.into(), CLASS::IN.into(), false));
        let question_end = packet.build_bytes_vec().map_err(io::Error::other)?.len();
        *packet.opt_mut() = Some(OPT { opt_codes: Vec::new(), udp_packet_size: LONGEST_UNFRAGMENTED, version: 0 });
        let message = packet.build_bytes_vec().map_err(io::Error::other)?;
        Ok(Self { message, id, question_end })
    }

    /// Whether the message is an answer with the same identifier and question, whose name may differ in case.
    fn is_answered_by(&self, message: &[u8]) -> bool {
        let question = HEADER..self.question_end;
        header_buffer::id(message) == Ok(self.id)
            && header_buffer::has_flags(message, PacketFlag::RESPONSE) == Ok(true)
            && header_buffer::questions(message) == Ok(1)
            && message.get(question.clone()).is_some_and(|asked| asked.eq_ignore_ascii_case(&self.message[question]))
    }

    /// Accepts the message as the answer to this query.
    ///
    /// # Errors
    ///
    /// The message answers another query.
    fn read_answer(&self, mut message: Vec<u8>) -> io::Result<Answer> {
        if !self.is_answered_by(&message) {
            return Err(io::Error::other("the answer is to another question"));
        }
        // simple_dns refuses a message whose question has a type that it does not know, such as TLSA. The question has
        // been compared, so its type is not needed any more.
        let kind_end = self.question_end - CLASS_LENGTH;
        message[kind_end - TYPE_LENGTH..kind_end].copy_from_slice(&u16::from(QTYPE::ANY).to_be_bytes());
        Ok(Answer { message })
    }
}

/// The answer to a query. Its records are not read yet.
#[derive(Debug)]
pub(crate) struct Answer {
    message: Vec<u8>,
}

impl Answer {
    /// Reads the whole message.
    ///
    /// # Errors
    ///
    /// The message is truncated or malformed.
    pub(crate) fn parse(&self) -> io::Result<Packet<'_>> {
        Packet::parse(&self.message).map_err(io::Error::other)
    }

    /// Whether the answer is complete: parsable, because a middlebox may cut a datagram without setting TC, and without
    /// TC.
    pub(crate) fn is_whole(&self) -> bool {
        self.parse().is_ok_and(|packet| !packet.has_flags(PacketFlag::TRUNCATION))
    }
}

/// Reads a name as Sendmail writes it.
///
/// # Errors
///
/// The text is not a domain name in ASCII.
fn domain_name(text: &str) -> io::Result<Name<'_>> {
    if text == ROOT {
        return Name::new("").map_err(io::Error::other);
    }
    // simple_dns skips empty labels, which would make another name.
    let empty_label = text.strip_suffix('.').unwrap_or(text).split('.').any(str::is_empty);
    if empty_label || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(io::Error::other("not a domain name"));
    }
    Name::new(text).map_err(io::Error::other)
}

/// The first datagram from the server that answers the query. Late and forged answers are ignored.
///
/// # Errors
///
/// The system refuses the socket, or the server's port is closed.
pub(crate) async fn by_datagram(server: SocketAddr, query: &Query) -> io::Result<Answer> {
    let socket = UdpSocket::bind((unspecified_like(server.ip()), 0)).await?;
    socket.connect(server).await?;
    socket.send(&query.message).await?;
    let mut buffer = vec![0; LONGEST_DATAGRAM];
    loop {
        let length = socket.recv(&mut buffer).await?;
        if let Ok(answer) = query.read_answer(buffer[..length].to_vec()) {
            return Ok(answer);
        }
    }
}

/// The answer over TCP (RFC 7766).
///
/// # Errors
///
/// The connection fails, or the server answers another query.
pub(crate) async fn by_stream(server: SocketAddr, query: &Query) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(query.message.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), query.message.as_slice()].concat()).await?;
    let mut answer = vec![0; stream.read_u16().await?.into()];
    stream.read_exact(&mut answer).await?;
    query.read_answer(answer)
}

/// The unspecified address of the same family.
pub(crate) fn unspecified_like(address: IpAddr) -> IpAddr {
    if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() }
}
