//! The result of a connection.

use tlsrpt::{FailureType, PolicyType};

use crate::handshake::{Handshake, Requirement, Verify};

/// The result of TLS under one policy.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The policy that applied.
    pub policy: PolicyType,
    /// Why it failed; `None` for success.
    pub failure: Option<Failure>,
}

/// Why TLS failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// The result type.
    pub failure_type: FailureType,
    /// The failure-reason-code, for types that leave the reason open.
    pub reason: Option<&'static str>,
}

const NOT_SUPPORTED: Failure = Failure { failure_type: FailureType::StarttlsNotSupported, reason: None };
/// Sendmail does not give the reason: the certificate may have expired, or an unknown authority may have signed it.
const NOT_VERIFIED: Failure =
    Failure { failure_type: FailureType::ValidationFailure, reason: Some("the certificate was not verified") };
const NO_HANDSHAKE: Failure =
    Failure { failure_type: FailureType::ValidationFailure, reason: Some("the TLS handshake failed") };
/// No TLSA record matches the certificate. Postfix reports the same type.
const NO_MATCH: Failure = Failure { failure_type: FailureType::CertificateNotTrusted, reason: None };

/// The result; `None` if there is nothing to report. `dane`: whether DANE applied to the connection.
#[must_use]
pub fn outcome(handshake: &Handshake, dane: bool) -> Option<Outcome> {
    let failure = match handshake.verify {
        Verify::Ok | Verify::Trusted => None,
        Verify::Unverified => (handshake.required == Requirement::Verification).then_some(NOT_VERIFIED),
        // No policy requires TLS: Sendmail sends in the clear, which is not a failure.
        Verify::None if !dane && handshake.required == Requirement::Nothing => return None,
        Verify::None | Verify::Refused => Some(NOT_SUPPORTED),
        Verify::Software => Some(NO_HANDSHAKE),
        Verify::DaneFail => Some(NO_MATCH),
        Verify::Other => return None,
    };
    // Sendmail did not verify this certificate by DANE: the TLSA records are unusable.
    let other_means = matches!(handshake.verify, Verify::Ok | Verify::Unverified);
    let by_dane = (dane && !other_means) || matches!(handshake.verify, Verify::Trusted | Verify::DaneFail);
    let policy = if by_dane { PolicyType::Tlsa } else { PolicyType::NoPolicyFound };
    Some(Outcome { policy, failure })
}

#[cfg(test)]
mod tests {
    use tlsrpt::PolicyType::{NoPolicyFound, Tlsa};

    use super::{Failure, NO_HANDSHAKE, NO_MATCH, NOT_SUPPORTED, NOT_VERIFIED, Outcome, outcome};
    use crate::handshake::Handshake;

    fn check(verify: &str, required: &str, dane: bool, expected: Option<(tlsrpt::PolicyType, Option<Failure>)>) {
        let key = format!("tlsrpt {verify};example.org.;mx.example.org;192.0.2.25;;{required};");
        let handshake = Handshake::read(key.as_bytes()).unwrap();
        let expected = expected.map(|(policy, failure)| Outcome { policy, failure });
        assert_eq!(outcome(&handshake, dane), expected, "{key}");
    }

    #[test]
    fn tls_is_on() {
        check("OK", "?", false, Some((NoPolicyFound, None)));
        check("TRUSTED", "?", true, Some((Tlsa, None)));
        for verify in ["FAIL", "NO", "NOT"] {
            check(verify, "?", false, Some((NoPolicyFound, None)));
            check(verify, "ENCR:112", false, Some((NoPolicyFound, None)));
            check(verify, "PERM+VERIFY", false, Some((NoPolicyFound, Some(NOT_VERIFIED))));
            check(verify, "?", true, Some((NoPolicyFound, None)));
        }
    }

    #[test]
    fn there_is_no_starttls() {
        check("NONE", "?", false, None);
        check("NONE", "ENCR:112", false, Some((NoPolicyFound, Some(NOT_SUPPORTED))));
        check("NONE", "?", true, Some((Tlsa, Some(NOT_SUPPORTED))));
        check("TEMP", "?", false, Some((NoPolicyFound, Some(NOT_SUPPORTED))));
        check("PROTOCOL", "?", true, Some((Tlsa, Some(NOT_SUPPORTED))));
    }

    #[test]
    fn tls_fails() {
        check("SOFTWARE", "?", false, Some((NoPolicyFound, Some(NO_HANDSHAKE))));
        check("SOFTWARE", "?", true, Some((Tlsa, Some(NO_HANDSHAKE))));
        check("DANE_FAIL", "?", false, Some((Tlsa, Some(NO_MATCH))));
    }

    #[test]
    fn no_result() {
        for verify in ["CONFIG", "CLEAR", "", "ok"] {
            check(verify, "VERIFY", true, None);
        }
    }
}
