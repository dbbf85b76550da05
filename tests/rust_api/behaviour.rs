//! The guarantees of the types: an incomplete event is not sent, dropping cleans up, threads share a connection.

use std::{collections::BTreeSet, fmt::Debug, mem, thread};

use tlsrpt::{
    Connection, DeliveryRequest, Error, ErrorKind, FailureDetails, FailureMember, FailureType, FinalResult, Policy,
    PolicyType, SocketName,
};

use crate::collector::Collector;

const RECORD: &str = "v=TLSRPTv1; rua=mailto:tls@example.org";

fn kind(answer: Result<(), Error>) -> Option<ErrorKind> {
    answer.err().map(Error::kind)
}

fn begin(connection: &Connection) -> DeliveryRequest {
    connection.delivery_request("example.org", RECORD).unwrap()
}

fn add_success(request: &mut DeliveryRequest) {
    request.policy(PolicyType::NoPolicyFound, None).unwrap().finish(FinalResult::Success).unwrap();
}

#[test]
fn a_policy_that_is_dropped_open_fails_the_request() {
    let collector = Collector::start();
    let connection = collector.connect();
    let mut request = begin(&connection);
    drop(request.policy(PolicyType::Sts, Some(b"example.org")).unwrap());
    assert_eq!(request.policy(PolicyType::Sts, None).err().map(Error::kind), Some(ErrorKind::UnfinishedPolicy));
    assert_eq!(kind(request.send()), Some(ErrorKind::UnfinishedPolicy));
    assert!(collector.receive().is_empty());
}

#[test]
fn a_policy_that_is_forgotten_open_fails_the_request() {
    let collector = Collector::start();
    let connection = collector.connect();
    let mut request = begin(&connection);
    mem::forget(request.policy(PolicyType::Sts, None).unwrap());
    assert_eq!(kind(request.send()), Some(ErrorKind::UnfinishedPolicy));

    let mut request = begin(&connection);
    mem::forget(request.policy(PolicyType::Sts, None).unwrap());
    assert_eq!(request.policy(PolicyType::Sts, None).err().map(Error::kind), Some(ErrorKind::NestedPolicy));
    assert_eq!(kind(request.cancel()), Some(ErrorKind::NestedPolicy));
    assert!(collector.receive().is_empty());
}

#[test]
fn only_send_sends() {
    let collector = Collector::start();
    let connection = collector.connect();
    let mut request = begin(&connection);
    add_success(&mut request);
    drop(request);
    let mut request = begin(&connection);
    add_success(&mut request);
    request.cancel().unwrap();
    assert_eq!(kind(begin(&connection).send()), Some(ErrorKind::NoPolicies));
    assert!(collector.receive().is_empty());

    let mut request = begin(&connection);
    add_success(&mut request);
    request.send().unwrap();
    assert_eq!(collector.receive().len(), 1);
}

#[test]
fn a_request_outlives_its_connection() {
    let collector = Collector::start();
    let connection = collector.connect();
    let mut request = begin(&connection);
    connection.close().unwrap();
    add_success(&mut request);
    request.send().unwrap();
    assert_eq!(collector.receive().len(), 1);
}

#[test]
fn bytes_that_are_no_text_are_replaced() {
    let collector = Collector::start();
    let mut request = collector.connect().delivery_request(b"caf\xe9", b"\xe2\x82").unwrap();
    let mut policy = request.policy(PolicyType::Tlsa, Some(b"\xff")).unwrap();
    // A NUL, which C cannot pass, is escaped like other control characters.
    policy.add_policy_string(b"\0\x80").unwrap();
    let details = FailureDetails::new().receiving_mx_helo(b"\xc0\x80");
    policy.add_failure(FailureType::TlsaInvalid, &details).unwrap();
    policy.finish(FinalResult::Failure).unwrap();
    request.send().unwrap();
    let expected = r#"{"dpv": "1","d": "caf�","pr": "�","policies":[{"policy-type":1,"policy-domain": "�","policy-string":["\u0000�"],"failure-details":[{"c":304,"h": "��"}],"t":1,"f":1}]}"#;
    assert_eq!(collector.receive(), [expected.as_bytes()]);
}

#[test]
fn threads_share_a_connection() {
    const THREADS: usize = 4;
    let collector = Collector::start();
    let connection = collector.connect();
    thread::scope(|scope| {
        for number in 0..THREADS {
            let connection = &connection;
            scope.spawn(move || {
                let mut request = connection.delivery_request(format!("{number}.example"), RECORD).unwrap();
                add_success(&mut request);
                request.send().unwrap();
            });
        }
    });
    let datagrams: BTreeSet<_> = collector.receive().into_iter().collect();
    assert_eq!(datagrams.len(), THREADS);
}

/// Compiles only while every type of the interface has these traits.
#[test]
fn types_are_debug_send_and_sync() {
    fn check<T: Debug + Send + Sync>() {}
    check::<Connection>();
    check::<DeliveryRequest>();
    check::<Policy<'_>>();
    check::<Error>();
    check::<ErrorKind>();
    check::<FailureDetails<'_>>();
    check::<FailureMember>();
    check::<FailureType>();
    check::<FinalResult>();
    check::<PolicyType>();
}

#[test]
fn debug_shows_the_state() {
    let collector = Collector::start();
    let connection = collector.connect();
    let mut request = connection.delivery_request("caf\u{e9}.example", RECORD).unwrap();
    assert!(format!("{connection:?}").starts_with("Connection { name: \"/"), "{connection:?}");
    let policy = request.policy(PolicyType::Sts, None).unwrap();
    let shown = format!("{policy:?}");
    assert!(shown.contains(r#""policy-type\":2"#) && shown.contains("error: None"), "{shown}");
    drop(policy);
    let shown = format!("{request:?}");
    assert!(shown.contains("caf\\xc3\\xa9.example") && shown.contains("UnfinishedPolicy"), "{shown}");
}

#[test]
fn names_of_sockets() {
    fn error(name: impl SocketName) -> Option<Error> {
        Connection::open(name).err()
    }
    for invalid in [&b"/run/tlsrpt\0/s"[..], b""] {
        let invalid = error(invalid).unwrap();
        assert_eq!(invalid.kind(), ErrorKind::Socket);
        assert_eq!(invalid.errno(), Some(libc::EINVAL));
    }
    assert_eq!(Connection::MAX_NAME_LEN, 107);
    assert_eq!(error(&[b'n'; Connection::MAX_NAME_LEN + 1][..]).map(Error::code), Some(10711));
    assert_eq!(error(&[b'n'; Connection::MAX_NAME_LEN][..]), None);
    assert_eq!(error("a name"), None);
    assert_eq!(error(b"a name"), None);
    assert_eq!(error(c"a name"), None);
}

/// `cargo test --features std`.
#[cfg(feature = "std")]
#[test]
fn names_of_sockets_in_the_types_of_std() {
    use std::{
        ffi::{CString, OsString},
        os::unix::ffi::OsStringExt,
        path::{Path, PathBuf},
    };

    let no_text = OsString::from_vec(b"caf\xe9".to_vec());
    for connection in [
        Connection::open(Path::new(&no_text)),
        Connection::open(PathBuf::from(no_text.clone())),
        Connection::open(no_text.as_os_str()),
        Connection::open(&no_text),
        Connection::open(CString::new(b"caf\xe9").unwrap()),
        Connection::open(b"caf\xe9".to_vec()),
    ] {
        assert!(format!("{connection:?}").contains(r#"name: "caf\xe9""#), "{connection:?}");
    }
    assert!(Connection::open(String::from("name")).is_ok());
}

#[test]
fn errors_in_words() {
    let connection = Connection::open("/nonexistent/tlsrpt.sock").unwrap();
    let mut request = begin(&connection);
    add_success(&mut request);
    let error = request.send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Send);
    assert_eq!(error.code(), 13002);
    let error: Box<dyn std::error::Error + Send + Sync> = error.into();
    assert_eq!(error.to_string(), "cannot send the datagram to the collector (errno 2)");
    assert_eq!(begin(&connection).send().unwrap_err().to_string(), "the delivery request holds no policy");
}
