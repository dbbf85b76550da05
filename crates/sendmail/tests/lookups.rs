//! DNS lookups with name servers that answer wrongly, slowly, in pieces or too much.

use std::{io, net::SocketAddr, time::Duration};

use domain::{
    base::{Message, MessageBuilder, Rtype, Ttl, iana::Rcode},
    rdata::Txt,
};
use tlsrpt_sendmail::resolver::Resolver;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UdpSocket},
    time::timeout,
};

const NAME: &str = "_smtp._tls.example.org";
const RECORD: &[u8] = b"v=TLSRPTv1; rua=mailto:tls@example.org";
/// The time for one exchange. Every test that runs into it does so a few times only.
const TIMEOUT: Duration = Duration::from_millis(200);
/// No test takes longer.
const BOUND: Duration = Duration::from_secs(60);

/// A name server on one port, for UDP and TCP.
struct Server {
    udp: UdpSocket,
    tcp: TcpListener,
    address: SocketAddr,
}

impl Server {
    async fn new() -> Self {
        loop {
            let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = tcp.local_addr().unwrap();
            // The same number may be taken among the ports of UDP.
            if let Ok(udp) = UdpSocket::bind(address).await {
                return Self { udp, tcp, address };
            }
        }
    }

    fn resolver(&self) -> Resolver {
        Resolver::new(vec![self.address], TIMEOUT, 1)
    }

    async fn query_by_datagram(&self) -> (Message<Vec<u8>>, SocketAddr) {
        let mut query = vec![0; 512];
        let (length, client) = timeout(BOUND, self.udp.recv_from(&mut query)).await.expect("a query").unwrap();
        query.truncate(length);
        (Message::from_octets(query).unwrap(), client)
    }

    async fn query_by_stream(&self) -> (Message<Vec<u8>>, TcpStream) {
        let (mut stream, _) = timeout(BOUND, self.tcp.accept()).await.expect("a query by TCP").unwrap();
        let mut query = vec![0; stream.read_u16().await.unwrap().into()];
        stream.read_exact(&mut query).await.unwrap();
        (Message::from_octets(query).unwrap(), stream)
    }
}

/// An answer with so many TXT records, of which the last is the TLSRPT record.
fn answer(query: &Message<Vec<u8>>, others: usize) -> Vec<u8> {
    let mut answer = MessageBuilder::new_vec().start_answer(query, Rcode::NOERROR).unwrap();
    let name = query.sole_question().unwrap().into_qname();
    for number in 0..others {
        let text = format!("{number:0200}");
        answer.push((&name, 60, Txt::<Vec<u8>>::build_from_slice(text.as_bytes()).unwrap())).unwrap();
    }
    answer.push((&name, Ttl::from_secs(60), Txt::<Vec<u8>>::build_from_slice(RECORD).unwrap())).unwrap();
    answer.finish()
}

async fn texts(resolver: Resolver) -> io::Result<Vec<Vec<u8>>> {
    timeout(BOUND, resolver.texts(NAME)).await.expect("the lookup ends")
}

#[tokio::test]
async fn asks_for_the_ad_bit_and_reads_the_answer() {
    let server = Server::new().await;
    let lookup = tokio::spawn(texts(server.resolver()));
    let (query, client) = server.query_by_datagram().await;
    assert!(query.header().ad() && query.header().rd());
    assert_eq!(query.sole_question().unwrap().qtype(), Rtype::TXT);
    server.udp.send_to(&answer(&query, 0), client).await.unwrap();
    assert_eq!(lookup.await.unwrap().unwrap(), [RECORD]);
}

#[tokio::test]
async fn wrong_answers_do_not_extend_the_time() {
    let server = Server::new().await;
    let lookup = tokio::spawn(texts(server.resolver()));
    let (query, client) = server.query_by_datagram().await;
    let mut wrong = answer(&query, 0);
    wrong[0] ^= 1;
    let endless = tokio::spawn(async move {
        loop {
            // Once the lookup has ended, its port is closed and sending may fail.
            let _ = server.udp.send_to(&wrong, client).await;
            tokio::time::sleep(TIMEOUT / 20).await;
        }
    });
    let error = lookup.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut, "{error}");
    endless.abort();
}

#[tokio::test]
async fn an_answer_of_one_byte_at_a_time_does_not_extend_the_time() {
    let server = Server::new().await;
    let lookup = tokio::spawn(texts(server.resolver()));
    let (query, client) = server.query_by_datagram().await;
    let mut cut = answer(&query, 0);
    cut[2] |= 2; // TC
    server.udp.send_to(&cut, client).await.unwrap();
    let (query, mut stream) = server.query_by_stream().await;
    let endless = tokio::spawn(async move {
        stream.write_u16(u16::MAX).await.unwrap();
        for byte in answer(&query, 0).into_iter().chain(std::iter::repeat(0)) {
            if stream.write_u8(byte).await.is_err() {
                return;
            }
            tokio::time::sleep(TIMEOUT / 20).await;
        }
    });
    let error = lookup.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut, "{error}");
    timeout(BOUND, endless).await.expect("the connection is closed").unwrap();
}

#[tokio::test]
async fn a_datagram_longer_than_announced_is_read_whole() {
    let server = Server::new().await;
    let lookup = tokio::spawn(texts(server.resolver()));
    let (query, client) = server.query_by_datagram().await;
    let long = answer(&query, 20);
    assert!(long.len() > 4096);
    server.udp.send_to(&long, client).await.unwrap();
    let texts = lookup.await.unwrap().unwrap();
    assert_eq!((texts.len(), texts[20].as_slice()), (21, RECORD));
}

#[tokio::test]
async fn an_answer_that_is_cut_with_and_without_tc_is_asked_for_by_tcp() {
    for tc in [true, false] {
        let server = Server::new().await;
        let lookup = tokio::spawn(texts(server.resolver()));
        let (query, client) = server.query_by_datagram().await;
        let mut cut = answer(&query, 20);
        cut.truncate(1232);
        cut[2] |= if tc { 2 } else { 0 };
        server.udp.send_to(&cut, client).await.unwrap();
        let (query, mut stream) = server.query_by_stream().await;
        let whole = answer(&query, 20);
        stream.write_u16(whole.len().try_into().unwrap()).await.unwrap();
        stream.write_all(&whole).await.unwrap();
        assert_eq!(lookup.await.unwrap().unwrap().len(), 21, "TC: {tc}");
    }
}

#[tokio::test]
async fn the_next_server_is_asked_after_one_that_fails_or_is_silent() {
    let (failing, silent, good) = (Server::new().await, Server::new().await, Server::new().await);
    let servers = vec![failing.address, silent.address, good.address];
    let lookup = tokio::spawn(texts(Resolver::new(servers, TIMEOUT, 1)));
    let (query, client) = failing.query_by_datagram().await;
    let refusal = MessageBuilder::new_vec().start_answer(&query, Rcode::SERVFAIL).unwrap().finish();
    failing.udp.send_to(&refusal, client).await.unwrap();
    let (query, client) = good.query_by_datagram().await;
    good.udp.send_to(&answer(&query, 0), client).await.unwrap();
    assert_eq!(lookup.await.unwrap().unwrap(), [RECORD]);
}

#[tokio::test]
async fn a_name_that_does_not_exist_has_no_records() {
    let server = Server::new().await;
    let lookup = tokio::spawn(texts(server.resolver()));
    let (query, client) = server.query_by_datagram().await;
    let none = MessageBuilder::new_vec().start_answer(&query, Rcode::NXDOMAIN).unwrap().finish();
    server.udp.send_to(&none, client).await.unwrap();
    assert!(lookup.await.unwrap().unwrap().is_empty());
}

#[tokio::test]
async fn each_query_has_another_id() {
    let server = Server::new().await;
    let mut ids = Vec::new();
    for _ in 0..8 {
        let lookup = tokio::spawn(texts(server.resolver()));
        let (query, client) = server.query_by_datagram().await;
        ids.push(query.header().id());
        server.udp.send_to(&answer(&query, 0), client).await.unwrap();
        lookup.await.unwrap().unwrap();
    }
    ids.sort_unstable();
    ids.dedup();
    // Eight random numbers of 16 bits are equal by chance once in 10^33 runs.
    assert!(ids.len() > 1, "{ids:?}");
}
