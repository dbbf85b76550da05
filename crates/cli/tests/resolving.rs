//! DNS lookups of the command, through `/etc/resolv.conf`. For root: the command has a mount namespace with a file of its own there,
//! which names the name server of the test.

use std::{
    collections::HashMap,
    fs,
    net::UdpSocket,
    path::{Path, PathBuf},
    process::{Command, Output},
    thread,
};

use jiff::{Timestamp, tz::TimeZone};
use simple_dns::{
    CLASS, CharacterString, Packet, RCODE, ResourceRecord,
    rdata::{RData, TXT},
};
use tempfile::TempDir;
use tlsrpt_deliver::DkimKey;
use tlsrpt_format::datagram;
use tlsrpt_store::{Batch, BatchId, CountedEvent, Options, Url, open};

/// The longest string in a TXT record (RFC 1035 section 3.3).
const LONGEST_STRING: usize = 255;
const KEY_NAME: &str = "tlsrpt._domainkey.sender.example";

/// The answers of the name server.
#[derive(Clone)]
enum Answer {
    Texts(Vec<String>),
    Failure,
}

/// Starts a name server, which has an address for each test. Returns the address. A name without an answer does not exist.
fn name_server(last: u8, zone: HashMap<&'static str, Answer>) -> String {
    let address = format!("127.53.53.{last}");
    let socket = UdpSocket::bind((address.as_str(), 53)).expect("root may listen at port 53");
    thread::spawn(move || {
        let mut query = [0; 2048];
        loop {
            let (length, client) = socket.recv_from(&mut query).unwrap();
            let mut reply = Packet::parse(&query[..length]).unwrap().into_reply();
            let question = reply.questions[0].qname.clone();
            match zone.get(question.to_string().as_str()) {
                Some(Answer::Texts(texts)) => {
                    for text in texts {
                        let mut record = TXT::new();
                        for part in text.as_bytes().chunks(LONGEST_STRING) {
                            record = record.with_char_string(CharacterString::new(part).unwrap());
                        }
                        let record = ResourceRecord::new(question.clone(), CLASS::IN, 60, RData::TXT(record));
                        reply.answers.push(record);
                    }
                }
                Some(Answer::Failure) => *reply.rcode_mut() = RCODE::ServerFailure,
                None => *reply.rcode_mut() = RCODE::NameError,
            }
            socket.send_to(&reply.build_bytes_vec_compressed().unwrap(), client).unwrap();
        }
    });
    address
}

/// A folder with a configuration and a resolv.conf.
struct Host(TempDir);

impl Host {
    fn new(server: &str, text: &str) -> Self {
        let host = Self(tempfile::tempdir().unwrap());
        let folder = host.0.path().display();
        let text = format!(
            "[store]\nurl = \"sqlite:{folder}/db\"\n[report]\norganization = \"Sender\"\ncontact = \"c@sender.example\"\n\
             from = \"noreply@sender.example\"\nspread = \"0s\"\n{text}"
        );
        fs::write(host.file("tlsrpt.toml"), text).unwrap();
        fs::write(host.file("resolv.conf"), format!("nameserver {server}\noptions timeout:1 attempts:1\n")).unwrap();
        host
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let script = "mount --bind \"$0\" /etc/resolv.conf && exec \"$@\"";
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-euc", script]).arg(self.file("resolv.conf"));
        command.arg(env!("CARGO_BIN_EXE_tlsrpt")).args(arguments).arg("--config").arg(self.file("tlsrpt.toml"));
        command.output().unwrap()
    }
}

/// The line of `tlsrpt check` about the record of the DKIM key.
fn dkim_record(last: u8, answer: Option<Answer>) -> String {
    let key = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deliver/tests/keys/rsa-pkcs8.pem");
    let server = name_server(last, answer.into_iter().map(|answer| (KEY_NAME, answer)).collect());
    let host = Host::new(
        &server,
        &format!("[mail.dkim]\ndomain = \"sender.example\"\nselector = \"tlsrpt\"\nkey = {key:?}\n"),
    );
    let shown = String::from_utf8(host.run(&["check", "--socket", "/no/such/socket"]).stdout).unwrap();
    let line = shown.lines().find(|line| line.contains("dkim record"));
    line.unwrap_or_else(|| panic!("{shown}")).to_owned()
}

#[test]
fn check_compares_the_key_with_its_record_in_dns() {
    let pem = include_str!("../../deliver/tests/keys/rsa-pkcs8.pem");
    let right = DkimKey::from_pem(pem).unwrap().record();
    assert!(right.len() > LONGEST_STRING, "the record has one string: {right}");
    let other = DkimKey::from_pem(include_str!("../../deliver/tests/keys/ed25519.pem")).unwrap().record();
    let texts = |texts: &[&str]| Some(Answer::Texts(texts.iter().map(|text| (*text).to_owned()).collect()));
    let found = dkim_record(1, texts(&[&right]));
    assert_eq!(found, format!("OK    dkim record   {KEY_NAME} has the public key, which permits reports"));
    let publish = format!(" -> publish at {KEY_NAME}: {right}; run: ");
    let found = dkim_record(2, None);
    assert!(found.starts_with(&format!("FAIL  dkim record   {KEY_NAME}: there is no TXT record{publish}")), "{found}");
    let found = dkim_record(3, texts(&[&other]));
    assert!(found.starts_with("FAIL ") && found.contains("k=ed25519") && found.contains(&publish), "{found}");
    let found = dkim_record(4, texts(&[&right, "v=spf1 -all"]));
    assert!(found.starts_with("FAIL ") && found.contains("there are 2 TXT records"), "{found}");
    let found = dkim_record(5, Some(Answer::Failure));
    let expected = format!("WARN  dkim record   cannot look up the public key at {KEY_NAME}: ");
    assert!(found.starts_with(&expected) && found.contains("ServerFailure"), "{found}");
}

#[test]
fn the_records_of_mx_hosts_are_looked_up_and_a_host_without_an_answer_is_left() {
    let record = Answer::Texts(vec!["v=TLSRPTv1; rua=https://127.0.0.1/mx".into()]);
    let zone = [("_smtp._tls.mx.has.example", record), ("_smtp._tls.mx.fails.example", Answer::Failure)];
    let server = name_server(6, zone.into());
    let host = Host::new(&server, "report-mx-hosts = true\n");
    let yesterday = Timestamp::now().to_zoned(TimeZone::UTC).date().yesterday().unwrap();
    let event = |name: &str| {
        // Nobody listens for the report of the domain, so that nothing but the hosts is left.
        let text = format!(
            r#"{{"d":"{name}.example","pr":"v=TLSRPTv1;rua=https://127.0.0.1/","policies":[{{"policy-type":1,"policy-domain":"mx.{name}.example","t":1,"f":1}}]}}"#
        );
        CountedEvent { event: datagram::parse(text.as_bytes()).unwrap(), times: 1 }
    };
    let batch = Batch {
        id: BatchId { writer: "test".into(), number: 1 },
        day: yesterday,
        last_event: None,
        events: ["has", "fails", "none"].map(event).into(),
        invalid: vec![],
        dropped: 0,
    };
    open(&Url::Sqlite(host.file("db")), Options::default()).unwrap().add(&batch).unwrap();
    let output = host.run(&["deliver", "--once"]);
    let (out, said) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    // A report to an address that is not public is refused.
    assert_eq!(
        out, "4 reports made, 0 deliveries succeeded, 4 failed for good or were suppressed, 1 are left\n",
        "{said}"
    );
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("about mx.has.example to https://127.0.0.1/mx: failed: "), "{said}");
}
