//! DKIM signatures of report mails.

use std::{cell::RefCell, io};

use jiff::Timestamp;
use tlsrpt_deliver::DkimKey;
use tlsrpt_received::dkim::{Verdict, verify};

use crate::own::mail;

const KEY: &str = include_str!("../../../deliver/tests/keys/ed25519.pem");
const NAME: &str = "tlsrpt._domainkey.sender.example";

fn now() -> Timestamp {
    Timestamp::from_second(4_000_000_000).unwrap()
}

fn verdict(mail: &[u8], record: &str) -> Verdict {
    verify(mail, now(), &|name| {
        assert_eq!(name, NAME);
        Ok(vec![record.as_bytes().to_vec()])
    })
}

fn failed(mail: &[u8], record: &str) -> String {
    match verdict(mail, record) {
        Verdict::Failed(why) => why,
        other => panic!("{other:?}"),
    }
}

fn record() -> String {
    DkimKey::from_pem(KEY).unwrap().record()
}

fn replaced(mail: &[u8], what: &str, by: &str) -> Vec<u8> {
    let text = String::from_utf8(mail.to_vec()).unwrap();
    assert!(text.contains(what), "{what}: {text}");
    text.replacen(what, by, 1).into_bytes()
}

#[test]
fn a_signed_mail_passes_however_a_pipe_hands_it_over() {
    let passed = Verdict::Passed { domain: "sender.example".into() };
    let mail = mail(true);
    assert_eq!(verdict(&mail, &record()), passed);
    let unix: Vec<u8> = mail.iter().copied().filter(|byte| *byte != b'\r').collect();
    assert_eq!(verdict(&unix, &record()), passed);
    let local =
        [b"From noreply@sender.example  Tue Nov 24 00:00:00 2026\nDelivered-To: a\n", &unix[..], b"\n\n"].concat();
    assert_eq!(verdict(&local, &record()), passed);
    for permits in ["s=*", "s=email:tlsrpt"] {
        assert_eq!(verdict(&mail, &record().replace("s=tlsrpt", permits)), passed, "{permits}");
    }
}

#[test]
fn changed_and_unsigned_mails_fail() {
    let signed = mail(true);
    let body = "the body of the mail is not the one that was signed";
    let header = "the header of the mail is not the one that was signed, or the key is another one";
    assert_eq!(failed(&replaced(&signed, "A report.", "A retort."), &record()), body);
    assert_eq!(failed(&replaced(&signed, "Subject: Report", "Subject: Retort"), &record()), header);
    let unsigned = "the domain of the From address, sender.example, did not sign the mail";
    assert_eq!(failed(&mail(false), &record()), unsigned);
    // A signature of another domain is none of the sender.
    let other = replaced(&signed, "From: noreply@sender.example", "From: noreply@other.example");
    assert_eq!(failed(&other, &record()), unsigned.replace("sender", "other"));
    let two = [b"From: a@sender.example\r\n", &signed[..]].concat();
    assert_eq!(failed(&two, &record()), "the mail does not have one From address");
    assert!(
        failed(&replaced(&signed, "DKIM-Signature: v=1;", "DKIM-Signature: v=1; l=5;"), &record()).contains("(l=)")
    );
    assert!(
        failed(&replaced(&signed, "DKIM-Signature: v=1;", "DKIM-Signature: v=1; x=5;"), &record()).contains("expired")
    );
}

#[test]
fn keys_that_do_not_permit_reports_fail() {
    let mail = mail(true);
    for (from, to, why) in [
        ("s=tlsrpt", "s=email", "the key does not permit reports: its s= is without tlsrpt"),
        ("k=ed25519", "k=rsa", "the key is not one for ed25519"),
        ("v=DKIM1", "v=DKIM2", "the record of the key is not one of DKIM"),
        ("s=tlsrpt", "h=sha1", "the key does not permit sha256"),
        ("p=", "n=", "the record of the key has no p="),
        ("p=", "p=; x=", "the key is revoked"),
        ("p=", "p=A", "p= of the key is not base64"),
    ] {
        assert_eq!(failed(&mail, &record().replacen(from, to, 1)), format!("{NAME}: {why}"));
    }
}

#[test]
fn a_resolver_that_fails_is_not_a_verdict() {
    let asked = RefCell::new(0);
    let verdict = verify(&mail(true), now(), &|_| {
        *asked.borrow_mut() += 1;
        // The connection is refused.
        Err(io::Error::from_raw_os_error(111))
    });
    assert!(matches!(verdict, Verdict::NotNow(_)), "{verdict:?}");
    assert!(verdict.to_string().ends_with("Connection refused"), "{verdict}");
    assert_eq!(*asked.borrow(), 1);
    let none = verify(&mail(true), now(), &|_| Ok(vec![]));
    assert_eq!(none, Verdict::Failed(format!("there is no key at {NAME}")));
}
