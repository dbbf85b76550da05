//! DNS lookups with name servers whose answers are wrong, slow, in pieces or too long.

use std::{io, net::SocketAddr, time::Duration};

use simple_dns::{
    CLASS, CharacterString, Packet, PacketFlag, QTYPE, RCODE, ResourceRecord, TYPE,
    rdata::{RData, TXT},
};
use tlsrpt_sendmail::resolver::{Resolver, Tlsa};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UdpSocket},
    time::timeout,
};

const NAME: &str = "_smtp._tls.example.org";
const RECORD: &[u8] = b"v=TLSRPTv1; rua=mailto:tls@example.org";
/// The length in bytes of the OPT record that ends a query.
const OPT_RECORD: usize = 11;
/// The flags of an answer: QR, RD, RA, and AD in the second.
const ANSWER: u16 = 0x8180;
const VALIDATED: u16 = 0x81a0;
/// The time-out of one exchange. Only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(60);
/// The same where the test waits for it.
const SHORT: Duration = Duration::from_millis(200);
/// How often a case is tried on a machine that stalls, where the time of a short wait may be up too early.
const ATTEMPTS: usize = 20;
/// The deadline of each wait. Only a failing test waits so long.
const BOUND: Duration = Duration::from_secs(300);

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
            // Another socket may have the UDP port of the same number.
            if let Ok(udp) = UdpSocket::bind(address).await {
                return Self { udp, tcp, address };
            }
        }
    }

    fn resolver(&self) -> Resolver {
        Resolver::new(vec![self.address], PATIENCE, 1)
    }

    /// A resolver that soon gives up.
    fn hasty_resolver(&self) -> Resolver {
        Resolver::new(vec![self.address], SHORT, 1)
    }

    async fn query_by_datagram(&self) -> (Vec<u8>, SocketAddr) {
        let mut query = vec![0; 512];
        let (length, client) =
            timeout(BOUND, self.udp.recv_from(&mut query)).await.expect("there was no query").unwrap();
        query.truncate(length);
        (query, client)
    }

    async fn query_by_stream(&self) -> (Vec<u8>, TcpStream) {
        let (mut stream, _) = timeout(BOUND, self.tcp.accept()).await.expect("there was no query by TCP").unwrap();
        let mut query = vec![0; stream.read_u16().await.unwrap().into()];
        stream.read_exact(&mut query).await.unwrap();
        (query, stream)
    }
}

fn reply(query: &[u8]) -> Packet<'_> {
    Packet::parse(query).unwrap().into_reply()
}

fn txt_record<'a>(query: &Packet<'a>, text: &'a [u8]) -> ResourceRecord<'a> {
    let text = TXT::new().with_char_string(CharacterString::new(text).unwrap());
    ResourceRecord::new(query.questions[0].qname.clone(), CLASS::IN, 60, RData::TXT(text))
}

/// An answer with `others` other TXT records, followed by the TLSRPT record.
fn answer(query: &[u8], others: usize) -> Vec<u8> {
    let texts: Vec<_> = (0..others).map(|number| format!("{number:0200}")).collect();
    let mut answer = reply(query);
    for text in texts.iter().map(String::as_bytes).chain([RECORD]) {
        answer.answers.push(txt_record(&answer, text));
    }
    answer.build_bytes_vec_compressed().unwrap()
}

/// An answer without records.
fn no_records(query: &[u8], code: RCODE) -> Vec<u8> {
    let mut answer = reply(query);
    *answer.rcode_mut() = code;
    answer.build_bytes_vec().unwrap()
}

/// An answer with one record of the type of the query.
fn raw_answer(query: &[u8], flags: u16, data: &[u8]) -> Vec<u8> {
    let question = &query[12..query.len() - OPT_RECORD];
    let kind = &question[question.len() - 4..question.len() - 2];
    let length = u16::try_from(data.len()).unwrap();
    let counts = [0, 1, 0, 1, 0, 0, 0, 0];
    let name = [0xc0, 12];
    let class_and_ttl = [0, 1, 0, 0, 0, 60];
    let record = [&name, kind, &class_and_ttl, &length.to_be_bytes(), data].concat();
    [&query[..2], &flags.to_be_bytes(), &counts, question, &record].concat()
}

async fn texts(resolver: Resolver) -> io::Result<Vec<Vec<u8>>> {
    timeout(BOUND, resolver.texts(NAME)).await.expect("the lookup did not end")
}

#[tokio::test]
async fn a_query_asks_for_the_ad_bit_and_the_answer_is_read() {
    let server = Server::new().await;
    let lookup = tokio::spawn(texts(server.resolver()));
    let (query, client) = server.query_by_datagram().await;
    let read = Packet::parse(&query).unwrap();
    assert!(read.has_flags(PacketFlag::AUTHENTIC_DATA | PacketFlag::RECURSION_DESIRED));
    assert_eq!((read.questions.len(), read.questions[0].qtype), (1, QTYPE::TYPE(TYPE::TXT)));
    assert_eq!(read.questions[0].qname.to_string(), NAME);
    assert_eq!(read.opt().unwrap().udp_packet_size, 1232);
    server.udp.send_to(&answer(&query, 0), client).await.unwrap();
    assert_eq!(lookup.await.unwrap().unwrap(), [RECORD]);
}

#[tokio::test]
async fn wrong_answers_do_not_extend_the_time() {
    let server = Server::new().await;
    let lookup = tokio::spawn(texts(server.hasty_resolver()));
    let (query, client) = server.query_by_datagram().await;
    let mut wrong = answer(&query, 0);
    wrong[0] ^= 1;
    let endless = tokio::spawn(async move {
        loop {
            // After the lookup its port is closed, and sending may fail.
            let _ = server.udp.send_to(&wrong, client).await;
            tokio::time::sleep(SHORT / 20).await;
        }
    });
    let error = lookup.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut, "{error}");
    endless.abort();
}

#[tokio::test]
async fn an_answer_of_one_byte_at_a_time_does_not_extend_the_time() {
    let server = Server::new().await;
    let mut asked = None;
    for _ in 0..ATTEMPTS {
        let mut lookup = tokio::spawn(texts(server.hasty_resolver()));
        let (query, client) = server.query_by_datagram().await;
        let mut cut = answer(&query, 0);
        cut[2] |= 2; // TC
        server.udp.send_to(&cut, client).await.unwrap();
        tokio::select! {
            (query, stream) = server.query_by_stream() => {
                asked = Some((lookup, query, stream));
                break;
            }
            outcome = &mut lookup => assert_eq!(outcome.unwrap().unwrap_err().kind(), io::ErrorKind::TimedOut),
        }
    }
    let (lookup, query, mut stream) = asked.expect("there was no query by TCP");
    let endless = tokio::spawn(async move {
        stream.write_u16(u16::MAX).await.unwrap();
        for byte in answer(&query, 0).into_iter().chain(std::iter::repeat(0)) {
            if stream.write_u8(byte).await.is_err() {
                return;
            }
            tokio::time::sleep(SHORT / 20).await;
        }
    });
    let error = lookup.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut, "{error}");
    timeout(BOUND, endless).await.expect("the connection was not closed").unwrap();
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
async fn a_truncated_answer_is_asked_for_by_tcp_with_and_without_tc() {
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
    for _ in 0..ATTEMPTS {
        let (failing, silent, good) = (Server::new().await, Server::new().await, Server::new().await);
        let servers = vec![failing.address, silent.address, good.address];
        let lookup = tokio::spawn(texts(Resolver::new(servers, SHORT, 1)));
        let (query, client) = failing.query_by_datagram().await;
        let refusal = no_records(&query, RCODE::ServerFailure);
        failing.udp.send_to(&refusal, client).await.unwrap();
        let (query, client) = good.query_by_datagram().await;
        good.udp.send_to(&answer(&query, 0), client).await.unwrap();
        match lookup.await.unwrap() {
            Ok(texts) => return assert_eq!(texts, [RECORD]),
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::TimedOut, "{error}"),
        }
    }
    panic!("no lookup got the answer of the last server");
}

#[tokio::test]
async fn a_name_that_does_not_exist_has_no_records() {
    let server = Server::new().await;
    let lookup = tokio::spawn(texts(server.resolver()));
    let (query, client) = server.query_by_datagram().await;
    let none = no_records(&query, RCODE::NameError);
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
        ids.push(Packet::parse(&query).unwrap().id());
        server.udp.send_to(&answer(&query, 0), client).await.unwrap();
        lookup.await.unwrap().unwrap();
    }
    ids.sort_unstable();
    ids.dedup();
    // Eight random numbers of 16 bits are equal by chance once in 10^33 runs.
    assert!(ids.len() > 1, "{ids:?}");
}

#[tokio::test]
async fn tlsa_records_are_read_with_the_ad_bit() {
    for (flags, validated) in [(ANSWER, false), (VALIDATED, true)] {
        let server = Server::new().await;
        let resolver = server.resolver();
        let lookup = tokio::spawn(async move { timeout(BOUND, resolver.tlsa("_25._tcp.mx.example.org")).await });
        let (query, client) = server.query_by_datagram().await;
        server.udp.send_to(&raw_answer(&query, flags, &[3, 1, 1, 0xab, 0x01]), client).await.unwrap();
        let found = lookup.await.unwrap().expect("the lookup did not end").unwrap();
        assert_eq!(found, Tlsa { records: vec!["3 1 1 AB01".into()], validated });
    }
}

#[tokio::test]
async fn strings_of_txt_records_are_joined_and_need_not_be_utf8() {
    let server = Server::new().await;
    let lookup = tokio::spawn(texts(server.resolver()));
    let (query, client) = server.query_by_datagram().await;
    server.udp.send_to(&raw_answer(&query, ANSWER, b"\x03=v\xff\x00\x02;\0"), client).await.unwrap();
    assert_eq!(lookup.await.unwrap().unwrap(), [b"=v\xff;\0"]);
}

#[tokio::test]
async fn an_answer_may_have_the_name_in_other_case_but_no_other_name() {
    let server = Server::new().await;
    let lookup = tokio::spawn(texts(server.resolver()));
    let (query, client) = server.query_by_datagram().await;
    let mut other = raw_answer(&query, ANSWER, b"\x05other");
    other[13] = b'-';
    server.udp.send_to(&other, client).await.unwrap();
    let mut upper = raw_answer(&query, ANSWER, b"\x04good");
    upper[12..query.len() - OPT_RECORD].make_ascii_uppercase();
    server.udp.send_to(&upper, client).await.unwrap();
    assert_eq!(lookup.await.unwrap().unwrap(), [b"good"]);
}

#[tokio::test]
async fn invalid_domain_names_are_not_looked_up() {
    let server = Server::new().await;
    let long = format!("{}.example", "a".repeat(64));
    for name in ["", "a..example", ".example", "ä.example", "a b.example", "a\0.example", &long] {
        let lookup = timeout(BOUND, server.resolver().texts(name)).await.expect("the lookup did not end");
        assert_eq!(lookup.unwrap_err().kind(), io::ErrorKind::Other, "{name}");
    }
}
