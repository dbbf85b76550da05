//! One connection to a mail server: what was heard of it, and the moment when its result is known.
//!
//! - Success is the EHLO that follows the handshake. (A cipher alone is no sign: there is one after a certificate was
//!   refused, too.)
//! - Failure is `msg:host:defer` with one of two numbers, or `dane:fail`.
//! - DANE raises both: first `dane:fail` with the type of the failure, of which "validation-failure" says little, then
//!   `msg:host:defer` with the text.
//! - Where DANE is found to be impossible before there is a connection, `dane:fail` says so, and is a result of its own.
//! - When TLS fails and is not required, Exim connects again and sends in the clear. No result comes from that.

#![forbid(unsafe_code)]

use libc::time_t;
use tlsrpt::{FailureType, PolicyType};

use crate::{
    call::Call,
    failure::{Certificate, failure_type},
    text::contains,
};

/// `$event_defer_errno` when TLS has failed and when TLS is required and there is none (Exim's ERRNO_TLSFAILURE and
/// ERRNO_TLSREQUIRED).
const TLS_FAILED: i32 = -37;
const TLS_REQUIRED: i32 = -38;

/// What Exim says when the server refused STARTTLS and it must not go on without: no number tells of that.
const STARTTLS_REFUSED: &[u8] = b" after STARTTLS";

/// What Exim writes before the text of a failed session.
const TEXT_PREFIX: &[u8] = b"TLS session: ";

/// As much of an EHLO reply as Postfix reports.
const MOST_OF_EHLO: usize = 2048;

/// The connection that is open, or was the last.
#[derive(Debug)]
pub struct Session {
    stage: Stage,
    ehlo: [u8; MOST_OF_EHLO],
    ehlo_len: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// No result yet.
    Open,
    /// DANE failed; the text is still to come.
    DaneFailed,
    /// The result is known.
    Done,
}

/// How TLS ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome<'a> {
    /// The policy that the connection was held to.
    pub policy: PolicyType,
    /// Its failure; `None` for success.
    pub failure: Option<Failure<'a>>,
}

/// Why TLS failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure<'a> {
    /// The type.
    pub failure_type: FailureType,
    /// The text, where the type leaves open what happened.
    pub reason: Option<&'a [u8]>,
}

impl Session {
    /// Before the first event.
    #[must_use]
    pub const fn new() -> Self {
        Self { stage: Stage::Open, ehlo: [0; MOST_OF_EHLO], ehlo_len: 0 }
    }

    /// What the server said to the first EHLO.
    #[must_use]
    pub fn ehlo(&self) -> Option<&[u8]> {
        self.ehlo.get(..self.ehlo_len).filter(|ehlo| !ehlo.is_empty())
    }

    /// Takes in an event; gives the outcome with the event that makes it known, once for each connection. `now` is the
    /// time in seconds of the epoch.
    pub fn hear<'a>(&mut self, call: &Call<'a>, now: time_t) -> Option<Outcome<'a>> {
        if call.event == b"tcp:connect" {
            self.begin();
        }
        let dane_failure = (call.event == b"dane:fail").then(|| dane_failure(call));
        if let Some(before_connection @ (FailureType::DaneRequired | FailureType::DnssecInvalid)) = dane_failure {
            return Some(failed(PolicyType::Tlsa, before_connection, None));
        }
        if self.stage == Stage::Done {
            return None;
        }
        let outcome = match call.event {
            b"smtp:ehlo" => self.greeted(call),
            b"dane:fail" => self.dane_failed(call, dane_failure?),
            b"msg:host:defer" => self.put_off(call, now),
            _ => None,
        }?;
        self.stage = Stage::Done;
        Some(outcome)
    }

    fn begin(&mut self) {
        self.stage = Stage::Open;
        self.ehlo_len = 0;
    }

    fn greeted<'a>(&mut self, call: &Call<'a>) -> Option<Outcome<'a>> {
        if !call.facts.encrypted {
            self.keep_ehlo(call.data);
            return None;
        }
        let policy = if call.facts.dane { PolicyType::Tlsa } else { PolicyType::NoPolicyFound };
        Some(Outcome { policy, failure: None })
    }

    fn keep_ehlo(&mut self, reply: &[u8]) {
        self.ehlo_len = 0;
        for (place, byte) in self.ehlo.iter_mut().zip(reply) {
            *place = *byte;
            self.ehlo_len += 1;
        }
    }

    fn dane_failed<'a>(&mut self, call: &Call<'a>, failure_type: FailureType) -> Option<Outcome<'a>> {
        // Nothing follows in a callout.
        if failure_type == FailureType::ValidationFailure && !call.facts.verifying {
            self.stage = Stage::DaneFailed;
            return None;
        }
        Some(failed(PolicyType::Tlsa, failure_type, None))
    }

    /// The delivery to this host is put off. Only for some reasons is that a result of TLS.
    fn put_off<'a>(&self, call: &Call<'a>, now: time_t) -> Option<Outcome<'a>> {
        let failure_type = match call.facts.errno {
            TLS_FAILED => failure_type(call.data, &certificate(call, now)),
            TLS_REQUIRED => FailureType::StarttlsNotSupported,
            _ if contains(call.data, STARTTLS_REFUSED) => FailureType::StarttlsNotSupported,
            _ if self.stage == Stage::DaneFailed => FailureType::ValidationFailure,
            _ => return None,
        };
        let text = call.data.strip_prefix(TEXT_PREFIX).unwrap_or(call.data).trim_ascii();
        let reason = (failure_type == FailureType::ValidationFailure && !text.is_empty()).then_some(text);
        Some(failed(self.policy_of_failure(call), failure_type, reason))
    }

    /// Exim falls back to sending in the clear when STARTTLS is refused, unless DANE or its configuration forbids it. So
    /// where the host has TLSA records, DANE did.
    fn policy_of_failure(&self, call: &Call<'_>) -> PolicyType {
        let refused = call.facts.errno != TLS_FAILED && call.facts.errno != TLS_REQUIRED;
        if self.stage == Stage::DaneFailed || (refused && !call.tlsa.is_empty()) {
            PolicyType::Tlsa
        } else {
            PolicyType::NoPolicyFound
        }
    }
}

impl Default for Session {
    fn default() -> Self {
        Self::new()
    }
}

fn certificate<'a>(call: &Call<'a>, now: time_t) -> Certificate<'a> {
    Certificate { expires: call.facts.expires, names: call.facts.names, host: call.host, now }
}

fn failed(policy: PolicyType, failure_type: FailureType, reason: Option<&[u8]>) -> Outcome<'_> {
    Outcome { policy, failure: Some(Failure { failure_type, reason }) }
}

/// What `dane:fail` names by the RFC's name.
fn dane_failure(call: &Call<'_>) -> FailureType {
    let named = FailureType::ALL.iter().find(|known| known.rfc_name().map(str::as_bytes) == Some(call.data));
    named.copied().unwrap_or(FailureType::ValidationFailure)
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
