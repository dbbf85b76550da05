//! `tlsrpt record DOMAIN`, with a name server and a web server at this host.

use std::{
    collections::HashMap,
    fs,
    io::Read,
    net::{SocketAddr, TcpListener, UdpSocket},
    path::PathBuf,
    process::Output,
    sync::Arc,
    thread,
};

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use serde_json::{Value, json};
use simple_dns::{
    CLASS, Name, Packet, RCODE, ResourceRecord, TYPE,
    rdata::{A, CNAME, MX, RData, TXT},
};

use crate::support::{directory, run, run_badly, text};

const RECORD: &str = "v=TLSRPTv1; rua=mailto:tls@mail.example";
/// An address that is public, to which nothing connects.
const PUBLIC: [u8; 4] = [9, 9, 9, 9];

/// What the name server has at a name.
#[derive(Clone)]
enum Data {
    Text(String),
    Alias(&'static str),
    Mx(u16, &'static str),
    Address([u8; 4]),
    Fails,
    /// It answers with bytes that are no message.
    Rubbish,
    /// The name exists, without records.
    Nothing,
}

use Data::{Address, Alias, Fails, Mx, Nothing, Rubbish, Text};

type Zone = HashMap<&'static str, Vec<Data>>;

fn zone(names: &[(&'static str, &[Data])]) -> Zone {
    names.iter().map(|(name, data)| (*name, data.to_vec())).collect()
}

/// Starts a name server. A name that is not in the zone does not exist.
fn name_server(zone: Zone) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut query = [0; 2048];
        loop {
            let (length, client) = socket.recv_from(&mut query).unwrap();
            let _ = socket.send_to(&answer(&zone, &query[..length]), client);
        }
    });
    address
}

fn answer(zone: &Zone, query: &[u8]) -> Vec<u8> {
    let mut reply = Packet::parse(query).unwrap().into_reply();
    let question = reply.questions[0].qname.clone();
    let mut owner = question.to_string();
    if let Some([Alias(target)]) = zone.get(owner.as_str()).map(Vec::as_slice) {
        let data = RData::CNAME(CNAME(Name::new(target).unwrap()));
        reply.answers.push(ResourceRecord::new(question, CLASS::IN, 60, data));
        owner = (*target).to_owned();
    }
    let found = zone.get(owner.as_str());
    let asked = reply.questions[0].qtype;
    for data in found.into_iter().flatten() {
        let (kind, data) = match data {
            Text(text) => (TYPE::TXT, RData::TXT(TXT::try_from(text.as_str()).unwrap())),
            Mx(preference, name) => {
                (TYPE::MX, RData::MX(MX { preference: *preference, exchange: Name::new(name).unwrap() }))
            }
            Address(address) => (TYPE::A, RData::A(A { address: u32::from_be_bytes(*address) })),
            Fails => {
                *reply.rcode_mut() = RCODE::ServerFailure;
                break;
            }
            Rubbish => return [&query[..query.len() - 11], &[0xff; 40]].concat(),
            Alias(_) | Nothing => continue,
        };
        if asked == kind.into() {
            let owner = Name::new(&owner).unwrap().into_owned();
            reply.answers.push(ResourceRecord::new(owner, CLASS::IN, 60, data));
        }
    }
    if found.is_none() {
        *reply.rcode_mut() = RCODE::NameError;
    }
    reply.build_bytes_vec_compressed().unwrap()
}

fn look_up(zone: Zone, arguments: &[&str]) -> Output {
    let server = name_server(zone).to_string();
    run([&["record", "d.example", "--resolver", &server], arguments].concat())
}

/// Asserts the lines of the output, without the columns of the check and the destination.
fn assert_found(zone: Zone, code: i32, expected: &[&str]) {
    let output = look_up(zone, &[]);
    let shown = text(&output.stdout);
    let lines: Vec<_> = shown.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(lines, expected, "{}", text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{shown}");
}

fn txt(text: &str) -> Data {
    Text(text.to_owned())
}

#[test]
fn a_record_whose_destinations_work() {
    let record = "v=TLSRPTv1; rua=mailto:tls@mail.example,mailto:tls@bare.example,https://web.example/r";
    let zone = zone(&[
        ("_smtp._tls.d.example", &[Alias("record.provider.example")]),
        ("record.provider.example", &[txt("v=spf1 -all"), txt(record)]),
        ("mail.example", &[Mx(20, "mx2.example"), Mx(10, "mx1.example")]),
        ("mx1.example", &[Address(PUBLIC)]),
        ("mx2.example", &[Nothing]),
        ("bare.example", &[Address([9, 9, 9, 8])]),
        ("web.example", &[Address(PUBLIC)]),
    ]);
    let record = format!("OK record {record}");
    let expected = [
        "OK alias _smtp._tls.d.example is an alias of record.provider.example",
        &record,
        "OK destination mailto:tls@mail.example: mail for mail.example goes to mx1.example (9.9.9.9), by its MX records",
        "WARN destination mailto:tls@mail.example: mx2.example, a mail host of mail.example, has no address \
         -> correct the MX records",
        "OK destination mailto:tls@bare.example: mail for bare.example goes to bare.example (9.9.9.8), \
         by its own address, without an MX record",
        "OK destination https://web.example/r: web.example has the address 9.9.9.9",
    ];
    assert_found(zone.clone(), 0, &expected);
    let output = look_up(zone, &["--format", "json"]);
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&shown["domain"], &shown["record"]["valid"]), (&json!("d.example"), &json!(true)));
    assert_eq!(shown["findings"].as_array().unwrap().len(), expected.len());
}

#[test]
fn destinations_that_cannot_work() {
    let record = "v=TLSRPTv1; rua=mailto:a@null.example,mailto:a@gone.example,mailto:a@nothing.example,\
                  mailto:a@dead.example,https://gone.example/,https://inner.example/,mailto:a@fails.example";
    let zone = zone(&[
        ("_smtp._tls.d.example", &[txt(record)]),
        ("null.example", &[Mx(0, ""), Address(PUBLIC)]),
        ("nothing.example", &[Nothing]),
        ("dead.example", &[Mx(0, "gone.example")]),
        ("inner.example", &[Address([10, 0, 0, 1])]),
        ("fails.example", &[Fails]),
    ]);
    let output = look_up(zone, &[]);
    let shown = text(&output.stdout);
    for expected in [
        "FAIL  destination   mailto:a@null.example: null.example takes no mail: it has a null MX record (RFC 7505)",
        "FAIL  destination   mailto:a@gone.example: there is no domain gone.example",
        "FAIL  destination   mailto:a@nothing.example: nothing.example has no MX record and has no address",
        "FAIL  destination   mailto:a@dead.example: gone.example, a mail host of dead.example, has no address",
        "FAIL  destination   https://gone.example/: gone.example does not exist",
        "FAIL  destination   https://inner.example/: inner.example has no public address, only 10.0.0.1",
        "WARN  destination   mailto:a@fails.example: cannot look up fails.example: 127.0.0.1:",
    ] {
        assert!(shown.lines().any(|line| line.starts_with(expected)), "{expected}\n{shown}");
    }
    assert_eq!((output.status.code(), shown.lines().count()), (Some(1), 8), "{shown}");
}

#[test]
fn why_there_is_no_record() {
    let name = "_smtp._tls.d.example";
    let publish = format!("-> publish a TXT record at {name}: v=TLSRPTv1; rua=mailto:tls-reports@d.example");
    let missing = format!("FAIL dns there is no name {name}, so d.example gets no reports {publish}");
    assert_found(zone(&[]), 1, &[&missing]);
    let place = |name: &str| {
        format!(
            "FAIL place there is a TLSRPT record at {name}, where no reporter looks -> move it to _smtp._tls.d.example"
        )
    };
    let (apex, draft) = (place("d.example"), place("_smtp-tlsrpt._tls.d.example"));
    let elsewhere = zone(&[("d.example", &[txt(RECORD)]), ("_smtp-tlsrpt._tls.d.example", &[txt(RECORD)])]);
    assert_found(elsewhere, 1, &[&missing, &apex, &draft]);
    let none = format!("FAIL dns {name} has no TXT record, so d.example gets no reports {publish}");
    assert_found(zone(&[(name, &[Nothing])]), 1, &[&none]);
    let other = format!("FAIL dns {name} has 1 TXT records, but none is a TLSRPT record {publish}");
    assert_found(zone(&[(name, &[txt("v=spf1 -all")])]), 1, &[&other]);
    let several = format!(
        "FAIL dns {name} has 2 TLSRPT records, so reporters ignore all: {RECORD} and {RECORD} \
         -> keep one, with all destinations: rua=URI,URI"
    );
    assert_found(zone(&[(name, &[txt(RECORD), txt(RECORD)])]), 1, &[&several]);
    let failed = look_up(zone(&[(name, &[Fails])]), &[]);
    let shown = text(&failed.stdout);
    assert!(
        shown.contains("answers ServerFailure -> the domain's name servers do not answer, or its DNSSEC"),
        "{shown}"
    );
    assert_eq!(failed.status.code(), Some(1));
}

#[test]
fn mistakes_are_named_with_the_record_that_was_meant() {
    let wrong = "v=TLSRPTv1; rua=tls@mail.example";
    let expected = format!("FAIL record {wrong}: the address tls@mail.example lacks mailto: -> publish: {RECORD}");
    assert_found(zone(&[("_smtp._tls.d.example", &[txt(wrong)])]), 1, &[&expected]);
    let wrong = "V=TLSRPTv1; rua=mailto:tls@mail.example";
    let why = "V=TLSRPTv1 must be written v=TLSRPTv1, in exactly these letters";
    let expected = format!("FAIL record {wrong}: {why} -> publish: {RECORD}");
    assert_found(zone(&[("_smtp._tls.d.example", &[txt(wrong)])]), 1, &[&expected]);
}

#[test]
fn hostile_answers() {
    let hostile = "v=TLSRPTv1; rua=mailto:a@b.example\u{1b}[2J";
    let shown = look_up(zone(&[("_smtp._tls.d.example", &[txt(hostile)])]), &[]).stdout;
    assert!(text(&shown).contains("\\u{1b}[2J") && !text(&shown).contains('\u{1b}'), "{}", text(&shown));
    let rubbish = look_up(zone(&[("_smtp._tls.d.example", &[Rubbish])]), &[]);
    assert!(text(&rubbish.stdout).starts_with("FAIL  dns "), "{}", text(&rubbish.stdout));
    // Far more destinations than are served: the lookups have a limit.
    let many: Vec<_> = (0..150).map(|number| format!("mailto:a@h{number}.example")).collect();
    let many = format!("v=TLSRPTv1; rua={}", many.join(","));
    let shown = look_up(zone(&[("_smtp._tls.d.example", &[txt(&many)])]), &[]).stdout;
    let count = text(&shown).matches("there is no domain").count();
    assert!(count == 10 && text(&shown).contains("has 150 destinations"), "{count}: {}", text(&shown));
}

const KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../deliver/tests/keys");

/// A web server with this certificate. Returns its port.
fn web_server(certificate: &str) -> u16 {
    let file = |name: &str| PathBuf::from(KEYS).join(format!("{name}.pem"));
    let chain = CertificateDer::pem_file_iter(file(certificate)).unwrap().map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(file("server-key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let configuration = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let configuration = Arc::new(configuration.with_no_client_auth().with_single_cert(chain, key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&configuration)).unwrap();
            // It ends when the client has closed the connection.
            let _ = StreamOwned::new(connection, stream.unwrap()).read(&mut [0]);
        }
    });
    port
}

#[test]
fn the_certificate_of_a_web_server_is_probed() {
    let cases = [
        ("sound", "OK", " has a valid certificate"),
        ("expired", "FAIL", ": invalid peer certificate: certificate expired"),
        ("other-host", "FAIL", ": invalid peer certificate: certificate not valid for name \"127.0.0.1\""),
        ("other-authority", "FAIL", ": invalid peer certificate: UnknownIssuer"),
    ];
    for (certificate, status, expected) in cases {
        let port = web_server(certificate);
        let folder = directory();
        let file = folder.path().join("tlsrpt.toml");
        let text_of_file =
            format!("[https]\nports = [{port}]\nallow = [\"127.0.0.0/8\"]\nca = \"{KEYS}/authority.pem\"\n");
        fs::write(&file, text_of_file).unwrap();
        let record = format!("v=TLSRPTv1; rua=https://127.0.0.1:{port}/");
        let zone = zone(&[("_smtp._tls.d.example", &[txt(&record)])]);
        let file = file.to_str().unwrap();
        let output = look_up(zone.clone(), &["--probe", "--config", file]);
        let shown = text(&output.stdout);
        let line = format!("{status:<4}  certificate   127.0.0.1 (127.0.0.1:{port}){expected}");
        assert!(shown.contains(&line), "{line}\n{shown}{}", text(&output.stderr));
        assert_eq!(output.status.code(), Some(i32::from(status == "FAIL")), "{shown}");
        let unprobed = look_up(zone, &["--config", file]);
        assert!(!text(&unprobed.stdout).contains("certificate"), "{}", text(&unprobed.stdout));
    }
}

#[test]
fn bad_use() {
    assert!(run_badly(2, ["record", RECORD, "--probe"]).contains("is not a domain name"));
    assert!(run_badly(2, ["record", "m\u{fc}nchen.example"]).contains("write the domain as DNS has it, with xn--"));
    assert!(run_badly(2, ["record", "d.example", "--resolver", "dns.example"]).contains("write it as 192.0.2.53"));
}
