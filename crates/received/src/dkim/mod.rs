//! The DKIM signature of a report mail (RFC 6376; RFC 8463 for Ed25519). Receivers ignore reports without one of the domain
//! that sends them, under a key that permits reports (RFC 8460 section 3).

mod canonical;
mod key;
mod signature;
mod tags;

use std::{fmt, io};

use jiff::Timestamp;
use tlsrpt_format::printable;

use crate::{header::Header, mail::domain_of};
use signature::{Signature, Wrong};

/// Looks up the TXT records of a name. An error means that DNS gave no answer.
pub type LookUpTexts<'l> = &'l dyn Fn(&str) -> io::Result<Vec<Vec<u8>>>;

/// The field with a signature.
const FIELD: &str = "DKIM-Signature";
/// The most signatures of one mail that are verified.
const MOST: usize = 5;
/// What a mailbox has before each mail.
const MAILBOX_LINE: &[u8] = b"From ";

/// What the signatures of a mail say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The domain of the sender signed it.
    Passed {
        /// The domain.
        domain: String,
    },
    /// Nobody signed it for the domain of the sender, or the signature is wrong.
    Failed(String),
    /// DNS gives no answer now.
    NotNow(String),
}

/// In words, safe to show.
impl fmt::Display for Verdict {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed { domain } => write!(out, "signed by {}", printable(domain)),
            Self::Failed(why) => write!(out, "no valid signature: {}", printable(why)),
            Self::NotNow(why) => write!(out, "the signature cannot be verified now: {}", printable(why)),
        }
    }
}

/// Verifies the signatures of a mail as it came.
pub fn verify(mail: &[u8], now: Timestamp, texts: LookUpTexts<'_>) -> Verdict {
    let header = Header::of(without_mailbox_line(mail));
    let mut from = header.fields.iter().filter(|field| field.is("From"));
    let domain = match (from.next().and_then(|from| domain_of(&from.text())), from.next()) {
        (Some(domain), None) => domain,
        _ => return Verdict::Failed("the mail does not have one From address".into()),
    };
    let signatures = header.fields.iter().enumerate().filter(|(_, field)| field.is(FIELD)).take(MOST);
    let mut verdict = Verdict::Failed(format!("the domain of the From address, {domain}, did not sign the mail"));
    for (index, _) in signatures {
        match Signature::of(&header, index).and_then(|signature| signature.verify(&header, &domain, now, texts)) {
            Ok(true) => return Verdict::Passed { domain },
            // It is that of another domain.
            Ok(false) => {}
            Err(Wrong::NotNow(why)) => verdict = Verdict::NotNow(why),
            Err(Wrong::Invalid(why)) if !matches!(verdict, Verdict::NotNow(_)) => verdict = Verdict::Failed(why),
            Err(Wrong::Invalid(_)) => {}
        }
    }
    verdict
}

fn without_mailbox_line(mail: &[u8]) -> &[u8] {
    match mail.iter().position(|byte| *byte == b'\n') {
        Some(end) if mail.starts_with(MAILBOX_LINE) => mail.get(end + 1..).unwrap_or_default(),
        _ => mail,
    }
}
