//! What becomes of a posted report for each class of answer, certificate and address. The server is scripted.

#[path = "sinks/https.rs"]
mod https_sink;

use std::{io::Write, net::TcpListener, sync::atomic::Ordering, thread, time::Duration};

use tlsrpt_deliver::{
    AddressGuard, Destination, HttpsUrl, Outcome,
    https::{HttpsClient, Verify},
};

use crate::https_sink::{Fault, answering, certificates, serve};

/// How long an attempt may take. Only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(60);
/// The same where the test waits for it.
const SHORT: Duration = Duration::from_secs(2);
/// How often a case is tried whose time may be up too early on a machine that stalls.
const ATTEMPTS: usize = 20;
const REPORT: &[u8] = &[0x1f, 0x8b, 8, 0, 1, 2, 3];

fn url(text: &str) -> HttpsUrl {
    match Destination::parse(text).unwrap() {
        Destination::Https(url) => url,
        Destination::Mail(_) => panic!("a mail address"),
    }
}

fn client(verify: Verify, allow: &[&str], authority: &[u8]) -> HttpsClient {
    client_within(PATIENCE, verify, allow, authority)
}

fn client_within(timeout: Duration, verify: Verify, allow: &[&str], authority: &[u8]) -> HttpsClient {
    let guard = AddressGuard::new(allow.iter().map(|network| network.parse().unwrap()).collect());
    HttpsClient::new(timeout, verify, &guard, &[authority.to_vec()])
}

fn post_and_answer(text: &str) -> Outcome {
    let certificates = certificates(Fault::None);
    let (port, _) = serve(certificates.server, answering(text));
    client(Verify::Require, &["127.0.0.0/8"], &certificates.authority)
        .post(&url(&format!("https://127.0.0.1:{port}/v1/report")), REPORT)
}

fn kind(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Delivered { .. } => "delivered",
        Outcome::Deferred { unknown: false, .. } => "deferred",
        Outcome::Deferred { unknown: true, .. } => "unknown",
        Outcome::Refused { .. } => "refused",
    }
}

#[test]
fn only_2xx_is_delivered_and_what_may_be_better_later_is_tried_again() {
    let cases = [
        ("200 OK", "delivered"),
        ("201 Created", "delivered"),
        ("204 No Content", "delivered"),
        ("301 Moved Permanently\r\nLocation: https://127.0.0.1:1/", "refused"),
        ("307 Temporary Redirect\r\nLocation: https://127.0.0.1:1/", "refused"),
        ("400 Bad Request", "refused"),
        ("404 Not Found", "refused"),
        ("408 Request Timeout", "deferred"),
        ("413 Content Too Large", "refused"),
        ("429 Too Many Requests", "deferred"),
        ("500 Internal Server Error", "deferred"),
        ("503 Service Unavailable", "deferred"),
    ];
    for (status, expected) in cases {
        let outcome = post_and_answer(&format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n"));
        assert_eq!(kind(&outcome), expected, "{status}: {outcome:?}");
    }
}

#[test]
fn the_wait_that_a_server_asks_for_is_kept_within_a_day() {
    for (seconds, expected) in [("120", 120), ("999999999", 24 * 60 * 60)] {
        let outcome =
            post_and_answer(&format!("HTTP/1.1 429 Slow down\r\nRetry-After: {seconds}\r\nContent-Length: 0\r\n\r\n"));
        let Outcome::Deferred { wait: Some(wait), .. } = outcome else { panic!("{outcome:?}") };
        assert_eq!(wait.as_secs(), expected);
    }
    let wait_for = |text: &str| {
        let head = format!("HTTP/1.1 503 Busy\r\nRetry-After: {text}\r\nContent-Length: 0\r\n\r\n");
        let Outcome::Deferred { wait, .. } = post_and_answer(&head) else { panic!("{text}") };
        wait.map(|wait| wait.as_secs())
    };
    assert_eq!(wait_for("Thu, 31 Dec 2099 08:49:37 GMT"), Some(24 * 60 * 60));
    assert_eq!([wait_for("Sun, 06 Nov 1994 08:49:37 GMT"), wait_for("soon"), wait_for("-1")], [None; 3]);
}

#[test]
fn answers_without_sense_or_end_are_tried_again() {
    assert_eq!(kind(&post_and_answer("")), "unknown");
    assert_eq!(kind(&post_and_answer("220 smtp.example ESMTP\r\n")), "unknown");
    let endless =
        format!("HTTP/1.1 200 OK\r\n{}", "X-Filler: 0123456789012345678901234567890123456789\r\n".repeat(10_000));
    assert_eq!(kind(&post_and_answer(&endless)), "unknown");
}

#[test]
fn a_server_that_answers_too_slowly_is_tried_again() {
    let certificates = certificates(Fault::None);
    let (port, requests) = serve(certificates.server, |tls| {
        while tls.write_all(b"H").and_then(|()| tls.flush()).is_ok() {
            thread::sleep(Duration::from_millis(100));
        }
    });
    let client = client_within(SHORT, Verify::Require, &["127.0.0.0/8"], &certificates.authority);
    let attempt = || kind(&client.post(&url(&format!("https://127.0.0.1:{port}/")), REPORT));
    // On a machine that stalls, the time may be up before the server has the request: then it is sent again.
    let outcome = (0..ATTEMPTS).map(|_| attempt()).find(|_| requests.load(Ordering::SeqCst) > 0);
    assert_eq!(outcome, Some("unknown"));
}

#[test]
fn a_certificate_that_does_not_verify_is_told_or_refused() {
    for fault in [Fault::Expired, Fault::OtherHost, Fault::OtherAuthority] {
        let certificates = certificates(fault);
        let (port, requests) = serve(certificates.server, answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
        let url = url(&format!("https://127.0.0.1:{port}/"));
        let outcome = client(Verify::Require, &["127.0.0.0/8"], &certificates.authority).post(&url, REPORT);
        assert_eq!((kind(&outcome), requests.load(Ordering::SeqCst)), ("deferred", 0), "{fault:?}: {outcome:?}");
        let outcome = client(Verify::Prefer, &["127.0.0.0/8"], &certificates.authority).post(&url, REPORT);
        let Outcome::Delivered { warning: Some(warning), .. } = &outcome else { panic!("{fault:?}: {outcome:?}") };
        assert!(warning.contains("certificate"), "{warning}");
        assert_eq!(requests.load(Ordering::SeqCst), 1);
    }
}

#[test]
fn no_notation_and_no_name_leads_to_an_own_address() {
    let certificates = certificates(Fault::None);
    let (port, requests) = serve(certificates.server, answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    let hosts = [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "localhost",
        "LOCALHOST",
        "0.0.0.0",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::]",
        "[64:ff9b::7f00:1]",
        "[fe80::1]",
        "10.0.0.1",
        "169.254.169.254",
        "[fd00::1]",
    ];
    let strict = client(Verify::Prefer, &[], &certificates.authority);
    for host in hosts {
        let outcome = strict.post(&url(&format!("https://{host}:{port}/")), REPORT);
        assert!(matches!(kind(&outcome), "refused" | "deferred"), "{host}: {outcome:?}");
        assert_ne!(kind(&outcome), "delivered", "{host}");
    }
    assert_eq!(requests.load(Ordering::SeqCst), 0);
    // The same addresses are reached where they are allowed, so the guard is what kept them out.
    let allowing = client(Verify::Prefer, &["127.0.0.0/8"], &certificates.authority);
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
        let outcome = allowing.post(&url(&format!("https://{host}:{port}/")), REPORT);
        assert_eq!(kind(&outcome), "delivered", "{host}: {outcome:?}");
    }
}

#[test]
fn a_server_that_is_not_there_is_tried_again() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let client = client(Verify::Prefer, &["127.0.0.0/8"], &[]);
    let outcome = client.post(&url(&format!("https://127.0.0.1:{port}/")), REPORT);
    assert_eq!(kind(&outcome), "deferred", "{outcome:?}");
    let outcome = client.post(&url("https://does-not-exist.invalid/"), REPORT);
    assert_eq!(kind(&outcome), "deferred", "{outcome:?}");
}
