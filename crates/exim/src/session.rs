//! Combines the events of one connection to a mail server into its result.
//!
//! - Success is the EHLO reply that follows the handshake. A cipher alone is no sign of success: Exim also sets it when it
//!   refuses the certificate.
//! - Failure is `msg:host:defer` with one of two numbers, or `dane:fail`.
//! - A failure of DANE raises both: first `dane:fail` with the result type, which is often only "validation-failure", then
//!   `msg:host:defer` with the text.
//! - If DANE fails before there is a connection, `dane:fail` alone is the result.
//! - When TLS fails and is not required, Exim connects again and sends in the clear. The second connection has no result.

#![forbid(unsafe_code)]

use libc::time_t;
use tlsrpt::{FailureType, PolicyType};

use crate::{
    call::Call,
    failure::{Certificate, failure_type},
    text::contains,
};

/// `$event_defer_errno` when TLS failed (Exim's ERRNO_TLSFAILURE), and when TLS is required but there is none
/// (ERRNO_TLSREQUIRED).
const TLS_FAILED: i32 = -37;
const TLS_REQUIRED: i32 = -38;

/// Part of Exim's text when the server refused STARTTLS and TLS is required. This failure has no number of its own.
const STARTTLS_REFUSED: &[u8] = b" after STARTTLS";

/// Exim's prefix to the text of a failed session.
const TEXT_PREFIX: &[u8] = b"TLS session: ";

/// The longest part of an EHLO reply in bytes that is reported; Postfix reports as much.
const LONGEST_EHLO: usize = 2048;

/// The current connection, or the last one.
#[derive(Debug)]
pub struct Session {
    stage: Stage,
    ehlo: [u8; LONGEST_EHLO],
    ehlo_len: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// No result yet.
    Open,
    /// DANE failed; the event with the text follows.
    DaneFailed,
    /// The result is known.
    Done,
}

/// The result of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome<'a> {
    /// The policy that applied.
    pub policy: PolicyType,
    /// The failure; `None` for success.
    pub failure: Option<Failure<'a>>,
}

/// Why TLS failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure<'a> {
    /// The result type.
    pub failure_type: FailureType,
    /// The failure-reason-code, for types that leave the reason open.
    pub reason: Option<&'a [u8]>,
}

impl Outcome<'_> {
    /// The name of the policy type in reports (RFC 8460 section 4.4).
    #[must_use]
    pub fn policy_name(self) -> &'static str {
        self.policy.rfc_name().unwrap_or("unknown")
    }

    /// `success`, or the name of the result type in reports (RFC 8460 section 4.3).
    #[must_use]
    pub fn result_name(self) -> &'static str {
        self.failure.map_or(Some("success"), |failure| failure.failure_type.rfc_name()).unwrap_or("failure")
    }
}

impl Session {
    /// Before the first event.
    #[must_use]
    pub const fn new() -> Self {
        Self { stage: Stage::Open, ehlo: [0; LONGEST_EHLO], ehlo_len: 0 }
    }

    /// The server's reply to the first EHLO of the connection.
    #[must_use]
    pub fn ehlo(&self) -> Option<&[u8]> {
        self.ehlo.get(..self.ehlo_len).filter(|ehlo| !ehlo.is_empty())
    }

    /// Adds an event. Returns the outcome with the event that makes it known, once for each connection. `now`: the time in
    /// seconds of the epoch.
    pub fn add<'a>(&mut self, call: &Call<'a>, now: time_t) -> Option<Outcome<'a>> {
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
            b"smtp:ehlo" => self.add_ehlo(call),
            b"dane:fail" => self.dane_failed(call, dane_failure?),
            b"msg:host:defer" => self.deferred(call, now),
            _ => None,
        }?;
        self.stage = Stage::Done;
        Some(outcome)
    }

    fn begin(&mut self) {
        self.stage = Stage::Open;
        self.ehlo_len = 0;
    }

    fn add_ehlo<'a>(&mut self, call: &Call<'a>) -> Option<Outcome<'a>> {
        if !call.facts.encrypted {
            self.store_ehlo(call.data);
            return None;
        }
        let policy = if call.facts.dane { PolicyType::Tlsa } else { PolicyType::NoPolicyFound };
        Some(Outcome { policy, failure: None })
    }

    fn store_ehlo(&mut self, reply: &[u8]) {
        self.ehlo_len = 0;
        for (place, byte) in self.ehlo.iter_mut().zip(reply) {
            *place = *byte;
            self.ehlo_len += 1;
        }
    }

    fn dane_failed<'a>(&mut self, call: &Call<'a>, failure_type: FailureType) -> Option<Outcome<'a>> {
        // In a callout no further event follows.
        if failure_type == FailureType::ValidationFailure && !call.facts.verifying {
            self.stage = Stage::DaneFailed;
            return None;
        }
        Some(failed(PolicyType::Tlsa, failure_type, None))
    }

    /// Exim deferred the delivery to this host. Only some reasons are results of TLS.
    fn deferred<'a>(&self, call: &Call<'a>, now: time_t) -> Option<Outcome<'a>> {
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

    /// When the server refuses STARTTLS, Exim sends in the clear unless DANE or its configuration forbids that. So if
    /// the host has TLSA records, DANE applied.
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

/// The result type that `dane:fail` names by its name in RFC 8460.
fn dane_failure(call: &Call<'_>) -> FailureType {
    let named = FailureType::ALL.iter().find(|known| known.rfc_name().map(str::as_bytes) == Some(call.data));
    named.copied().unwrap_or(FailureType::ValidationFailure)
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
