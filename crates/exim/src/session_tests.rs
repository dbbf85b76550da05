use tlsrpt::{
    FailureType::{self, CertificateExpired, DaneRequired, StarttlsNotSupported, ValidationFailure},
    PolicyType::{self, NoPolicyFound, Tlsa},
};

use super::{Failure, Outcome, Session};
use crate::call::{Call, Facts};

const NOW: libc::time_t = 1_900_000_000;

/// An event with a name and data only.
fn event(name: &'static str, data: &'static str) -> Call<'static> {
    Call { event: name.as_bytes(), data: data.as_bytes(), host: b"mx.example.org", ..Call::default() }
}

fn encrypted(name: &'static str, dane: bool) -> Call<'static> {
    Call { facts: Facts { encrypted: true, dane, ..Facts::default() }, ..event(name, "250 again") }
}

fn deferred(errno: i32, text: &'static str) -> Call<'static> {
    Call { facts: Facts { errno, ..Facts::default() }, ..event("msg:host:defer", text) }
}

fn failed(policy: PolicyType, failure_type: FailureType, reason: Option<&'static str>) -> Outcome<'static> {
    Outcome { policy, failure: Some(Failure { failure_type, reason: reason.map(str::as_bytes) }) }
}

const fn succeeded(policy: PolicyType) -> Outcome<'static> {
    Outcome { policy, failure: None }
}

/// The outcomes after these events; one connection has none or one.
fn outcomes(session: &mut Session, events: &[Call<'static>]) -> std::vec::Vec<Outcome<'static>> {
    events.iter().filter_map(|event| session.add(event, NOW)).collect()
}

fn check(events: &[Call<'static>], expected: &[Outcome<'static>]) {
    assert_eq!(outcomes(&mut Session::new(), events), expected);
}

#[test]
fn the_ehlo_reply_inside_tls_is_success() {
    let plain = event("smtp:ehlo", "250-mx\n250 STARTTLS");
    check(&[event("tcp:connect", ""), plain, encrypted("smtp:ehlo", false)], &[succeeded(NoPolicyFound)]);
    check(&[event("tcp:connect", ""), plain, encrypted("smtp:ehlo", true)], &[succeeded(Tlsa)]);
    check(&[event("tcp:connect", ""), plain, event("tcp:close", "")], &[]);
}

#[test]
fn a_cipher_alone_is_no_success() {
    let text = "TLS session: (certificate verification failed): certificate invalid";
    let facts = Facts { errno: -37, encrypted: true, expires: Some(NOW - 1), ..Facts::default() };
    let refused = Call { facts, ..event("msg:host:defer", text) };
    let outcome = failed(NoPolicyFound, CertificateExpired, None);
    check(&[event("tcp:connect", ""), encrypted("tcp:close", false), refused], &[outcome]);
}

#[test]
fn no_outcome_follows_the_first() {
    let late = deferred(-37, "TLS session: (recv): error on first read");
    check(&[event("tcp:connect", ""), encrypted("smtp:ehlo", false), late], &[succeeded(NoPolicyFound)]);
}

#[test]
fn failures_without_dane() {
    let no_tls = deferred(-38, "a TLS session is required, but the server did not offer TLS support");
    check(&[event("tcp:connect", ""), no_tls], &[failed(NoPolicyFound, StarttlsNotSupported, None)]);
    let handshake = deferred(-37, "TLS session: (gnutls_handshake): An unexpected TLS packet was received. ");
    let reason = "(gnutls_handshake): An unexpected TLS packet was received.";
    check(&[event("tcp:connect", ""), handshake], &[failed(NoPolicyFound, ValidationFailure, Some(reason))]);
    check(&[event("tcp:connect", ""), deferred(110, "Connection timed out")], &[]);
}

#[test]
fn sending_in_the_clear_afterwards_is_no_result() {
    let events = [
        event("tcp:connect", ""),
        deferred(-37, "TLS session: bad"),
        // The second connection: Exim keeps the number of the first one.
        Call { facts: Facts { errno: -37, ..Facts::default() }, ..event("tcp:connect", "") },
        Call { facts: Facts { errno: -37, ..Facts::default() }, ..event("smtp:ehlo", "250-mx\n250 STARTTLS") },
        event("tcp:close", ""),
    ];
    check(&events, &[failed(NoPolicyFound, ValidationFailure, Some("bad"))]);
}

#[test]
fn dane_raises_two_events_and_gives_one_result() {
    let text = "a TLS session is required, but the server did not offer TLS support";
    let events = [event("tcp:connect", ""), event("dane:fail", "starttls-not-supported"), deferred(-38, text)];
    check(&events, &[failed(Tlsa, StarttlsNotSupported, None)]);

    let vague = event("dane:fail", "validation-failure");
    let text = "TLS session: (gnutls_handshake): The TLS connection was non-properly terminated.";
    let reason = "(gnutls_handshake): The TLS connection was non-properly terminated.";
    let events = [event("tcp:connect", ""), vague, event("tcp:close", ""), deferred(-37, text)];
    check(&events, &[failed(Tlsa, ValidationFailure, Some(reason))]);
    check(&[vague, deferred(-38, "an attempt to start TLS failed")], &[failed(Tlsa, StarttlsNotSupported, None)]);
    check(&[vague, deferred(0, "something else")], &[failed(Tlsa, ValidationFailure, Some("something else"))]);
}

#[test]
fn dane_fails_before_there_is_a_connection() {
    check(&[event("dane:fail", "dane-required")], &[failed(Tlsa, DaneRequired, None)]);
    let first = event("dane:fail", "dane-required");
    let second_host = [first, first, event("tcp:connect", ""), encrypted("smtp:ehlo", true)];
    check(&second_host, &[failed(Tlsa, DaneRequired, None), failed(Tlsa, DaneRequired, None), succeeded(Tlsa)]);
}

#[test]
fn no_text_follows_in_a_callout() {
    let facts = Facts { verifying: true, ..Facts::default() };
    let vague = Call { facts, ..event("dane:fail", "validation-failure") };
    check(&[event("tcp:connect", ""), vague], &[failed(Tlsa, ValidationFailure, None)]);
}

#[test]
fn a_refused_starttls_fails_dane_where_there_are_tlsa_records() {
    let refused = deferred(0, "SMTP error from remote mail server after STARTTLS: 454 4.7.0 TLS not available");
    check(&[event("tcp:connect", ""), refused], &[failed(NoPolicyFound, StarttlsNotSupported, None)]);
    let with_dane = Call { tlsa: b"3 1 1 00", ..refused };
    check(&[event("tcp:connect", ""), with_dane], &[failed(Tlsa, StarttlsNotSupported, None)]);
}

#[test]
fn stores_the_first_ehlo_reply_of_the_connection() {
    let mut session = Session::new();
    let events = [
        event("tcp:connect", ""),
        event("smtp:ehlo", "250-mx.example.org\n250 STARTTLS"),
        encrypted("smtp:ehlo", false),
    ];
    outcomes(&mut session, &events);
    assert_eq!(session.ehlo(), Some(b"250-mx.example.org\n250 STARTTLS".as_slice()));
    outcomes(&mut session, &[event("tcp:connect", "")]);
    assert_eq!(session.ehlo(), None);

    let long = "x".repeat(3000).leak();
    outcomes(&mut session, &[event("smtp:ehlo", long)]);
    assert_eq!(session.ehlo().map(<[u8]>::len), Some(2048));
}
