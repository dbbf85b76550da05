//! Examines the TLSRPT record of a domain as DNS has it: the record, its destinations, and whether they can work.
//!
//! - [`published`]: what DNS has at the name of the record, and elsewhere.
//! - [`destinations`]: whether a destination can take reports.
//! - [`probe`]: whether its TLS certificate is valid.
//!
//! The owner of the domain writes the record and all other answers of DNS. Numbers of destinations, hosts and addresses, and the
//! time of the whole, have limits.

mod destinations;
mod probe;
mod published;

use std::{
    io,
    time::{Duration, Instant},
};

use tlsrpt_check::Finding;
use tlsrpt_deliver::AddressGuard;
use tlsrpt_format::{record, repair};
use tlsrpt_sendmail::resolver::{Resolver, ServerFailed};

pub(crate) use self::{probe::Prober, published::domain};

/// How long the whole examination may take.
const LONGEST: Duration = Duration::from_secs(60);
/// How long one lookup may take, with all servers and attempts.
const LONGEST_LOOKUP: Duration = Duration::from_secs(10);
/// The longest text of a record that is shown, in characters. A record has hardly more than 200.
const LONGEST_TEXT: usize = 1000;

/// How to examine records.
#[derive(Debug)]
pub(crate) struct Examiner {
    pub(crate) resolver: Resolver,
    /// The addresses that reports are posted to.
    pub(crate) guard: AddressGuard,
    /// The ports that reports are posted to.
    pub(crate) ports: Vec<u16>,
    /// The most destinations that are served.
    pub(crate) most_destinations: usize,
    /// Connects to destinations, if that is wished.
    pub(crate) prober: Option<Prober>,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Examined {
    /// The text of the record, if there is exactly one.
    pub(crate) text: Option<String>,
    pub(crate) findings: Vec<Finding>,
}

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
    let remedy = match repair.corrected {
        Some(corrected) => format!("publish: {corrected}"),
        None => "publish a record of RFC 8460 section 3: v=TLSRPTv1; rua=mailto:ADDRESS".into(),
    };
    Finding::fail("record", format!("{}: {what}", shortened(text)), remedy)
}

/// The time for the next lookup.
fn time_left(end: Instant) -> Duration {
    end.saturating_duration_since(Instant::now()).min(LONGEST_LOOKUP)
}

/// What to do about a lookup without an answer.
fn after_no_answer(error: &io::Error) -> &'static str {
    match ServerFailed::of(error) {
        Some(_) => {
            "the domain's name servers do not answer, or its DNSSEC signatures are wrong; \
             compare with another resolver: --resolver ADDRESS"
        }
        None => "see whether the resolver of this host works, or name another: --resolver ADDRESS",
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
