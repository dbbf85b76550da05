//! One DNS query to one server, over UDP or TCP. The caller sets the time limit.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use domain::base::Message;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
};

/// The payload size in bytes that a query announces: datagrams of this size pass every usual network in one piece.
pub(crate) const LONGEST_UNFRAGMENTED: u16 = 1232;

/// The longest datagram. A server that ignores the announced size must not have its answer cut here.
const LONGEST_DATAGRAM: usize = u16::MAX as usize;

pub(crate) type Query = Message<Vec<u8>>;
pub(crate) type Answer = Message<Vec<u8>>;

/// The first datagram from the server that answers the query. Late and forged answers are left out.
///
/// # Errors
///
/// The system refuses the socket, or the server's port is closed.
pub(crate) async fn by_datagram(server: SocketAddr, query: &Query) -> io::Result<Answer> {
    let socket = UdpSocket::bind((unspecified_like(server.ip()), 0)).await?;
    socket.connect(server).await?;
    socket.send(query.as_slice()).await?;
    let mut buffer = vec![0; LONGEST_DATAGRAM];
    loop {
        let length = socket.recv(&mut buffer).await?;
        if let Ok(answer) = read_answer(buffer[..length].to_vec(), query) {
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
    let length = u16::try_from(query.as_slice().len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), query.as_slice()].concat()).await?;
    let mut answer = vec![0; stream.read_u16().await?.into()];
    stream.read_exact(&mut answer).await?;
    read_answer(answer, query)
}

/// The unspecified address of the same family.
pub(crate) fn unspecified_like(address: IpAddr) -> IpAddr {
    if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() }
}

fn read_answer(bytes: Vec<u8>, query: &Query) -> io::Result<Answer> {
    let answer = Message::from_octets(bytes).map_err(io::Error::other)?;
    if answer.is_answer(query) { Ok(answer) } else { Err(io::Error::other("the answer is to another question")) }
}
