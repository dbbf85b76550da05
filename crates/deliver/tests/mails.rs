//! The mail that takes a report, as a receiver reads it.

use std::path::Path;

use tlsrpt_deliver::{
    DkimSigner, MailAddress,
    mail::{FinishedReport, ReportMail, Submitter},
};

fn address(text: &str) -> MailAddress {
    text.parse().expect("an address")
}

fn mail(signer: Option<DkimSigner>) -> ReportMail {
    let submitter = Submitter { from: address("noreply@sender.example"), signer };
    let report = FinishedReport {
        domain: "company-y.example",
        id: "2026-11-23.1.company-y.example@sender.example",
        made: 1_795_478_400,
        summary: "TLS report for company-y.example\n\nSessions: 5629, of which 303 failed\n",
        file_name: "sender.example!company-y.example!1795392000!1795478399.json.gz",
        compressed: &[0x1f, 0x8b, 8, 0, 0, 0xff],
    };
    let bounces = address("tlsrpt-bounces+1@sender.example");
    submitter.mail(&report, &address("reports@company-y.example"), &bounces).expect("a mail")
}

#[test]
fn it_has_the_header_that_the_rfc_asks_for() {
    let mail = mail(None);
    let text = String::from_utf8(mail.bytes).unwrap();
    let (header, body) = text.split_once("\r\n\r\n").unwrap();
    let unfolded = header.replace("\r\n ", " ");
    for line in [
        "From: noreply@sender.example",
        "To: reports@company-y.example",
        "Subject: Report Domain: company-y.example Submitter: sender.example Report-ID: <2026-11-23.1.company-y.example@sender.example>",
        "TLS-Report-Domain: company-y.example",
        "TLS-Report-Submitter: sender.example",
        "TLS-Required: No",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
    ] {
        assert!(unfolded.lines().any(|found| found == line), "{line:?} is missing in\n{unfolded}");
    }
    assert!(unfolded.contains("Content-Type: multipart/report; report-type=\"tlsrpt\"; boundary="), "{unfolded}");
    assert!(
        body.contains("Content-Type: application/tlsrpt+gzip;\r\n name=\"sender.example!company-y.example!"),
        "{body}"
    );
    assert!(body.contains("Content-Disposition: attachment;\r\n filename=\"sender.example!company-y"), "{body}");
    assert!(body.contains("Sessions: 5629, of which 303 failed"), "{body}");
    assert!(!text.replace("\r\n", "").contains(['\r', '\n']), "a bare CR or LF");
    assert_eq!(mail.envelope.from().map(ToString::to_string).as_deref(), Some("tlsrpt-bounces+1@sender.example"));
    assert_eq!(mail.envelope.to().len(), 1);
}

#[test]
fn another_attempt_makes_the_same_mail() {
    assert_eq!(mail(None).bytes, mail(None).bytes);
}

#[test]
fn another_recipient_has_another_message_id() {
    let submitter = Submitter { from: address("noreply@sender.example"), signer: None };
    let report = FinishedReport {
        domain: "a.example",
        id: "1@sender.example",
        made: 0,
        summary: "",
        file_name: "a.json.gz",
        compressed: &[],
    };
    let id = |to: &str| {
        let mail = submitter.mail(&report, &address(to), &address("b@sender.example")).unwrap();
        let text = String::from_utf8(mail.bytes).unwrap();
        text.lines().find(|line| line.starts_with("Message-ID: ")).unwrap().to_owned()
    };
    assert_ne!(id("x@a.example"), id("y@a.example"));
}

#[test]
fn keys_are_read_as_openssl_writes_them() {
    for file in ["rsa-pkcs1.pem", "rsa-pkcs8.pem", "ed25519.pem"] {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys").join(file);
        let signer = DkimSigner::from_file("sender.example", "tlsrpt", &file).unwrap();
        let text = String::from_utf8(mail(Some(signer)).bytes).unwrap();
        let signature = text.split("\r\n").take_while(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
        assert!(signature.contains("d=sender.example; s=tlsrpt"), "{signature}");
        assert!(!signature.contains(" l="), "{signature}");
    }
    assert!(
        DkimSigner::new("sender.example", "tlsrpt", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----")
            .is_err()
    );
}
