//! What the types promise: nothing half done is sent, whatever is dropped cleans up, threads share a connection.

use std::{collections::BTreeSet, mem, thread};

use tlsrpt::{
    Connection, DeliveryRequest, Error, ErrorKind, FailureDetails, FailureType, FinalResult, Policy, PolicyType,
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
    // A NUL, which C cannot pass, is a control character as any other.
    policy.add_policy_string(b"\0\x80").unwrap();
    let details = FailureDetails { receiving_mx_helo: Some(b"\xc0\x80"), ..FailureDetails::default() };
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

/// Compiles, or does not.
#[test]
fn what_may_move_between_threads() {
    fn sendable<T: Send>() {}
    fn shareable<T: Sync>() {}
    sendable::<Connection>();
    shareable::<Connection>();
    sendable::<DeliveryRequest>();
    shareable::<DeliveryRequest>();
    sendable::<Policy<'_>>();
    sendable::<Error>();
    shareable::<Error>();
}

#[test]
fn names_of_sockets() {
    let error = |name: &[u8]| Connection::open(name).err();
    let with_nul = error(b"/run/tlsrpt\0/s").unwrap();
    assert_eq!(with_nul.kind(), ErrorKind::Socket);
    assert_eq!(with_nul.errno(), Some(libc::EINVAL));
    assert_eq!(error(&[b'n'; 108]).map(Error::code), Some(10711));
    assert_eq!(error(&[b'n'; 107]), None);
    assert_eq!(error(b""), None);
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
