//! Examines the TLSRPT record of a domain as DNS has it: the record, its destinations, and whether they can work.
//!
//! - [`examiner`]: what all parts share: the means, the limits, the texts.
//! - [`published`]: what DNS has at the name of the record, and elsewhere.
//! - [`destinations`]: whether a destination can take reports.
//! - [`probe`]: whether its TLS certificate is valid.
//!
//! The owner of the domain writes the record and all other answers of DNS. Numbers of destinations, hosts and addresses, and the
//! time of the whole, have limits.

mod destinations;
mod examiner;
mod probe;
mod published;

use std::time::{Duration, Instant};

use tlsrpt_check::{Finding, Remedy};
use tlsrpt_format::{record, repair};

use self::examiner::shortened;
pub(crate) use self::{
    examiner::{Examined, Examiner},
    probe::Prober,
    published::domain,
};

/// How long the whole examination may take.
const LONGEST: Duration = Duration::from_secs(60);
/// Examines the record of a domain. Takes at most [`LONGEST`] and the time of one lookup.
pub(crate) fn examine(examiner: &Examiner, domain: &str) -> Examined {
    let end = Instant::now() + LONGEST;
    let mut examined = published::look_up(examiner, domain, end);
    if let Some(text) = &examined.text {
        examined.findings.extend(of_text(examiner, text, end));
    }
    examined
}

fn of_text(examiner: &Examiner, text: &str, end: Instant) -> Vec<Finding> {
    match record::parse(text) {
        Ok(read) => {
            let mut findings = vec![Finding::ok("record", shortened(text))];
            findings.extend(destinations::check(examiner, &read.destinations, end));
            findings
        }
        Err(mistake) => vec![wrong(text, &mistake)],
    }
}

/// The mistakes of a record, with the record that was probably meant.
fn wrong(text: &str, mistake: &record::Mistake) -> Finding {
    let repair = repair(text);
    let what = match repair.mistakes.is_empty() {
        true => format!("column {}: {}", mistake.column, mistake.what),
        false => repair.mistakes.join("; "),
    };
    let remedy: String = match repair.corrected {
        Some(corrected) => format!("publish: {corrected}"),
        None => "publish a record of RFC 8460 section 3: v=TLSRPTv1; rua=mailto:ADDRESS".into(),
    };
    Finding::fail("record", format!("{}: {what}", shortened(text)), Remedy::words(remedy))
}
