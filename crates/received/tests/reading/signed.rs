//! Mails that dkimpy signed: both algorithms, with each pair of canonical forms (`tests/signed/make.py`).

use std::{fs, path::Path};

use jiff::Timestamp;
use tlsrpt_deliver::DkimKey;
use tlsrpt_received::dkim::{Verdict, verify};

use crate::making::only;

const RSA: &str = include_str!("../../../deliver/tests/keys/rsa-pkcs1.pem");
const ED25519: &str = include_str!("../../../deliver/tests/keys/ed25519.pem");
const FORMS: [&str; 2] = ["simple", "relaxed"];

fn mail(algorithm: &str, header: &str, body: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/signed");
    fs::read(folder.join(format!("{algorithm}-{header}-{body}.eml"))).unwrap()
}

/// Calls `see` with each mail: its algorithm, the record of its key, and the forms of its header and body.
fn each(see: impl Fn(&[u8], &str, &str, &str, &str)) {
    for (algorithm, key) in [("rsa", RSA), ("ed25519", ED25519)] {
        let record = DkimKey::from_pem(key).unwrap().record();
        for header in FORMS {
            for body in FORMS {
                see(&mail(algorithm, header, body), algorithm, &record, header, body);
            }
        }
    }
}

fn passes(mail: &[u8], record: &str) -> bool {
    let now = Timestamp::from_second(4_000_000_000).unwrap();
    let verdict = verify(mail, now, &|name| {
        assert_eq!(name, "tlsrpt._domainkey.sender.example");
        Ok(vec![record.as_bytes().to_vec()])
    });
    match verdict {
        Verdict::Passed { domain } => domain == "sender.example",
        Verdict::Failed(_) => false,
        other => panic!("{other:?}"),
    }
}

fn replaced(mail: &[u8], what: &[u8], by: &[u8]) -> Vec<u8> {
    let place = mail.windows(what.len()).rposition(|window| window == what).expect("the mail has it");
    [&mail[..place], by, &mail[place + what.len()..]].concat()
}

#[test]
fn each_passes_as_it_came_and_through_a_pipe() {
    each(|mail, algorithm, record, header, body| {
        let unix: Vec<u8> = mail.iter().copied().filter(|byte| *byte != b'\r').collect();
        let before =
            [b"From noreply@sender.example  Tue Nov 24 00:00:00 2026\nReturn-Path: <x@y.example>\n", &unix[..]]
                .concat();
        for way in [mail, &unix, &before] {
            assert!(passes(way, record), "{algorithm} {header} {body}");
        }
        assert_eq!(only(mail).report.failed(), 3);
    });
}

#[test]
fn a_changed_letter_or_another_key_fails() {
    let other = [RSA, ED25519].map(|key| DkimKey::from_pem(key).unwrap().record());
    each(|mail, algorithm, record, header, body| {
        for (what, by) in [
            (&b"ewog"[..], &b"ewoG"[..]),
            (b"the second", b"the seconD"),
            (b"example.org\r\n Submitter", b"example.com\r\n Submitter"),
            // A field that is signed as absent.
            (b"MIME-Version:", b"X-Absent: x\r\nMIME-Version:"),
            // A third one, where two are signed.
            (b"MIME-Version:", b"X-Note: x\r\nMIME-Version:"),
        ] {
            assert!(!passes(&replaced(mail, what, by), record), "{algorithm} {header} {body}: {what:?}");
        }
        for wrong in other.iter().filter(|other| *other != record) {
            assert!(!passes(mail, wrong), "{algorithm} {header} {body}");
        }
    });
}

#[test]
fn spaces_may_change_where_the_form_says_so() {
    each(|mail, algorithm, record, header, body| {
        for (what, by) in [
            (&b"the  first \r\n"[..], &b"the first\r\n"[..]),
            (b"X-NOTE:the", b"x-note: the"),
            (b"\r\n of two", b" of two"),
        ] {
            let changed = replaced(mail, what, by);
            assert_eq!(passes(&changed, record), header == "relaxed", "{algorithm} {header} {body}: {what:?}");
        }
        let changed = replaced(mail, b"with   spaces \t\r\n", b"with spaces\r\n");
        assert_eq!(passes(&changed, record), body == "relaxed", "{algorithm} {header} {body}");
        // Empty lines at the end count in no form.
        assert!(passes(&[mail, b"\r\n\r\n"].concat(), record), "{algorithm} {header} {body}");
    });
}
