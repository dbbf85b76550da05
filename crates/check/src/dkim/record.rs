//! The public key in DNS.

use std::{io, path::Path};

use tlsrpt_deliver::{DkimKey, RecordProblem, permits_reports};

use crate::{dns, finding::Finding, remedy::Remedy, signature::Signature};

const CHECK: &str = "dkim record";

/// Looks up the TXT records of a name. An error means that no answer was received.
pub type LookUpTexts<'l> = &'l dyn Fn(&str) -> io::Result<Vec<Vec<u8>>>;

/// What a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signs {
    /// Reports alone.
    Reports,
    /// The mails of users too.
    AllMails,
}

/// The name of the public key of a signature.
pub(super) fn name_of(signature: &Signature) -> String {
    format!("{}._domainkey.{}", signature.selector, signature.domain)
}

/// Judges the public key in DNS, by the private key if it can be read.
pub(super) fn check(signature: &Signature, key: Option<&DkimKey>, signs: Signs, texts: LookUpTexts<'_>) -> Finding {
    let name = name_of(signature);
    let records = match texts(&name) {
        Ok(records) => records,
        Err(error) => {
            let message = format!("cannot look up the public key at {name}: {error}");
            return Finding::warn(CHECK, message, dns::no_answer(Path::new("/etc/resolv.conf")));
        }
    };
    let judged = match key {
        Some(key) => key.verify_by(&records),
        None => permits_reports(&records),
    };
    match judged {
        Ok(()) => Finding::ok(CHECK, format!("{name} has the public key, which permits reports")),
        Err(problem) => {
            let words = words(&name, &problem, key, signs);
            Finding::fail(CHECK, format!("{name}: {problem}"), Remedy::check_again(words))
        }
    }
}

fn words(name: &str, problem: &RecordProblem, key: Option<&DkimKey>, signs: Signs) -> String {
    match (problem, key) {
        (RecordProblem::OtherService(_), _) => format!("add tlsrpt to s= of the record at {name}, or take out s="),
        (RecordProblem::OtherHash(_), _) => format!("add sha256 to h= of the record at {name}, or take out h="),
        (RecordProblem::Several(_), _) => format!("remove all records at {name} but the one with the public key"),
        (_, Some(key)) => {
            let record = match signs {
                Signs::Reports => key.record(),
                Signs::AllMails => key.record_for_all_mails(),
            };
            format!("publish at {name}: {record}")
        }
        (_, None) => format!("publish the public key at {name}"),
    }
}
