//! A small report mail, for the tests of what mail servers answer.

use tlsrpt_deliver::{
    MailAddress,
    mail::{FinishedReport, ReportMail, Submitter},
};

/// Its text has a line with a dot alone, which ends a mail unless the client doubles the dot (RFC 5321 section 4.5.2).
pub(crate) fn mail() -> ReportMail {
    let address = |text: &str| text.parse::<MailAddress>().unwrap();
    let submitter = Submitter { from: address("noreply@sender.example"), signer: None };
    let report = FinishedReport {
        domain: "a.example",
        id: "1@sender.example",
        made: 0,
        summary: ".\n",
        file_name: "a.json.gz",
        compressed: &[1],
    };
    submitter.mail(&report, &address("r@a.example"), &address("b@sender.example")).unwrap()
}
