//! What the parts of an examination share: the means, the limits, the texts.

use std::{
    io,
    time::{Duration, Instant},
};

use tlsrpt_check::{Finding, Remedy};
use tlsrpt_deliver::AddressGuard;
use tlsrpt_sendmail::resolver::{Resolver, ServerFailed};

use super::probe::Prober;

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

/// The time for the next lookup.
pub(super) fn time_left(end: Instant) -> Duration {
    end.saturating_duration_since(Instant::now()).min(LONGEST_LOOKUP)
}

/// What to do about a lookup without an answer.
pub(super) fn after_no_answer(error: &io::Error) -> Remedy {
    Remedy::words(match ServerFailed::of(error) {
        Some(_) => {
            "the domain's name servers do not answer, or its DNSSEC signatures are wrong; \
             compare with another resolver: --resolver ADDRESS"
        }
        None => "see whether the resolver of this host works, or name another: --resolver ADDRESS",
    })
}

/// A text of a stranger with a limit, not yet escaped.
pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
