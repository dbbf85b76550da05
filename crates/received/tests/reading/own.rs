//! Mails of our own reporter.

use tlsrpt_deliver::{
    DkimSigner,
    mail::{FinishedReport, Submitter},
};

use crate::making::{gzip, only};

const KEY: &str = include_str!("../../../deliver/tests/keys/ed25519.pem");
pub(crate) const FROM: &str = "noreply@sender.example";

/// A report mail as `tlsrpt deliver` sends it.
pub(crate) fn mail(signs: bool) -> Vec<u8> {
    let json = include_str!("../senders/no-place.json");
    let signer = signs.then(|| DkimSigner::new("sender.example", "tlsrpt", KEY).unwrap());
    let submitter = Submitter { from: FROM.parse().unwrap(), signer };
    let report = FinishedReport {
        domain: "example.org",
        id: "1.example.org@sender.example",
        made: 1_795_000_000,
        summary: "A report.\n",
        file_name: "sender.example!example.org!1!2.json.gz",
        compressed: &gzip(json.as_bytes()),
    };
    let to = "tls@example.org".parse().unwrap();
    submitter.mail(&report, &to, &"bounces@sender.example".parse().unwrap()).unwrap().bytes
}

#[test]
fn they_are_read_back_without_a_departure() {
    let found = only(&mail(true));
    assert_eq!(found.report.departures, []);
    assert_eq!(found.place, "file: sender.example!example.org!1!2.json.gz");
    let facts = found.mail.unwrap();
    assert_eq!(facts.report_domain.as_deref(), Some("example.org"));
    assert_eq!((facts.submitter.as_deref(), facts.is_report), (Some("sender.example"), true));
}
