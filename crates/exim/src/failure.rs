//! Finds the result type for the text of a failed TLS session.
//!
//! Exim passes on the text of its TLS library, GnuTLS or OpenSSL. If several result types are possible for a text, the
//! server's certificate decides.

#![forbid(unsafe_code)]

use libc::time_t;
use tlsrpt::FailureType::{
    self, CertificateExpired, CertificateHostMismatch, CertificateNotTrusted, TlsaInvalid, ValidationFailure,
};

use crate::text::{contains, lines};

/// The facts of the server's certificate when its verification failed. With OpenSSL it is the certificate of the chain that
/// failed.
#[derive(Debug, Clone, Copy)]
pub struct Certificate<'a> {
    /// When it expires, in seconds of the epoch.
    pub expires: Option<time_t>,
    /// Its DNS names, one a line.
    pub names: &'a [u8],
    /// The name of the MX host.
    pub host: &'a [u8],
    /// The time, in seconds of the epoch.
    pub now: time_t,
}

/// Parts of texts for which only one result type is possible. The first match counts.
const EXACT: &[(&[u8], FailureType)] = &[
    // Old or missing revocation data says nothing about the certificate (RFC 8460 section 4.3.3: general failures). OpenSSL:
    // "CRL has expired", "unable to get certificate CRL", "OCSP response has expired". GnuTLS: "The revocation or OCSP data are
    // old and have been superseded." Exim: "(certificate status check failed)".
    (b"CRL", ValidationFailure),
    (b"OCSP", ValidationFailure),
    (b"revocation", ValidationFailure),
    (b"certificate status", ValidationFailure),
    // The server sends an alert: it is about the certificate of Exim.
    (b"alert", ValidationFailure),
    // GnuTLS: "TLSA record problem: none usable"; with OpenSSL the text is that of Exim's DANE library.
    (b"TLSA record problem", TlsaInvalid),
    (b"tlsa load", TlsaInvalid),
    (b"certificate has expired", CertificateExpired),
    (b"expired certificate", CertificateExpired),
    (b"name mismatch", CertificateHostMismatch),
    (b"Hostname mismatch", CertificateHostMismatch),
    (b"does not match the expected", CertificateHostMismatch),
    (b"issuer is unknown", CertificateNotTrusted),
    (b"The certificate differs", CertificateNotTrusted),
    (b"CA constraints were violated", CertificateNotTrusted),
    (b"unable to get local issuer", CertificateNotTrusted),
    (b"unable to get issuer", CertificateNotTrusted),
    (b"unable to verify the first certificate", CertificateNotTrusted),
    (b"self-signed certificate", CertificateNotTrusted),
    (b"self signed certificate", CertificateNotTrusted),
];

/// Exim's text with GnuTLS for a certificate with another name: the only failure whose text ends here, without a
/// reason.
const GNUTLS_NAME_MISMATCH: &[u8] = b"(certificate verification failed)";
/// Exim's text with GnuTLS for every other certificate that is not valid, except a revoked one.
const GNUTLS_INVALID: &[u8] = b"certificate invalid";
/// Exim's text with OpenSSL for every certificate that is not valid.
const OPENSSL_INVALID: &[u8] = b"certificate verify failed";

/// The result type for the text of a failed TLS session.
#[must_use]
pub fn failure_type(text: &[u8], certificate: &Certificate<'_>) -> FailureType {
    if let Some((_, exact)) = EXACT.iter().find(|(piece, _)| contains(text, piece)) {
        return *exact;
    }
    if text.trim_ascii_end().ends_with(GNUTLS_NAME_MISMATCH) {
        CertificateHostMismatch
    } else if contains(text, GNUTLS_INVALID) {
        if certificate.has_expired() { CertificateExpired } else { CertificateNotTrusted }
    } else if contains(text, OPENSSL_INVALID) {
        certificate.reason()
    } else {
        ValidationFailure
    }
}

impl Certificate<'_> {
    /// Why its verification failed. A certificate without DNS names is that of an authority.
    fn reason(&self) -> FailureType {
        if self.has_expired() {
            CertificateExpired
        } else if !self.names.is_empty() && !self.is_for_host() {
            CertificateHostMismatch
        } else {
            CertificateNotTrusted
        }
    }

    fn has_expired(&self) -> bool {
        self.expires.is_some_and(|expires| expires < self.now)
    }

    fn is_for_host(&self) -> bool {
        lines(self.names).any(|name| covers(name, self.host))
    }
}

/// Whether a name in a certificate covers this host. A wildcard stands for one label (RFC 6125 section 6.4.3).
fn covers(name: &[u8], host: &[u8]) -> bool {
    let parent = || host.iter().position(|byte| *byte == b'.').and_then(|dot| host.get(dot..));
    match name.strip_prefix(b"*") {
        Some(rest) => parent().is_some_and(|parent| rest.eq_ignore_ascii_case(parent)),
        None => name.eq_ignore_ascii_case(host),
    }
}

#[cfg(test)]
mod tests {
    use super::{Certificate, covers, failure_type};
    use tlsrpt::FailureType::{
        self, CertificateExpired, CertificateHostMismatch, CertificateNotTrusted, TlsaInvalid, ValidationFailure,
    };

    const GOOD: Certificate<'_> = Certificate {
        expires: Some(2_000_000_000),
        names: b"mx.example.org",
        host: b"mx.example.org",
        now: 1_900_000_000,
    };
    const EXPIRED: Certificate<'_> = Certificate { expires: Some(1_800_000_000), ..GOOD };
    const OTHER: Certificate<'_> = Certificate { names: b"mail.example.net\n*.example.com", ..GOOD };
    const AUTHORITY: Certificate<'_> = Certificate { names: b"", ..GOOD };

    fn check(text: &str, certificate: &Certificate<'_>, expected: FailureType) {
        assert_eq!(failure_type(text.as_bytes(), certificate), expected, "{text}");
    }

    #[test]
    fn texts_of_gnutls() {
        check("(certificate verification failed): certificate invalid", &GOOD, CertificateNotTrusted);
        check("(certificate verification failed): certificate invalid", &OTHER, CertificateNotTrusted);
        check("(certificate verification failed): certificate invalid", &EXPIRED, CertificateExpired);
        check("(certificate verification failed)", &OTHER, CertificateHostMismatch);
        check("(certificate verification failed): certificate revoked", &GOOD, ValidationFailure);
        check("(certificate verification failed): certificate not supplied", &GOOD, ValidationFailure);
        let differs = "(certificate verification failed): Verification failed. The certificate differs. ";
        check(differs, &GOOD, CertificateNotTrusted);
        check("(certificate verification failed): TLSA record problem: none usable", &GOOD, TlsaInvalid);
        check("(gnutls_handshake): An unexpected TLS packet was received.", &GOOD, ValidationFailure);
    }

    #[test]
    fn texts_of_openssl() {
        let text = "(SSL_connect): error:0A000086:SSL routines::certificate verify failed";
        check(text, &GOOD, CertificateNotTrusted);
        check(text, &AUTHORITY, CertificateNotTrusted);
        check(text, &OTHER, CertificateHostMismatch);
        check(text, &EXPIRED, CertificateExpired);
        check("(SSL_connect): error:0A00010B:SSL routines::wrong version number", &GOOD, ValidationFailure);
    }

    #[test]
    fn an_expired_certificate() {
        for text in ["certificate has expired", "The certificate chain uses expired certificate. "] {
            check(text, &GOOD, CertificateExpired);
        }
    }

    #[test]
    fn old_or_missing_revocation_data_says_nothing_about_the_certificate() {
        for text in [
            "(SSL_connect): CRL has expired",
            "CRL is not yet valid",
            "unable to get certificate CRL",
            "format error in CRL's nextUpdate field",
            "OCSP response has expired",
            "(certificate verification failed): The revocation or OCSP data are old and have been superseded. ",
            "(certificate status check failed)",
        ] {
            check(text, &GOOD, ValidationFailure);
            // These words alone would make it the certificate's fault.
            for more in ["certificate verify failed", "certificate invalid"] {
                check(&std::format!("{text}: {more}"), &EXPIRED, ValidationFailure);
                check(&std::format!("{text}: {more}"), &GOOD, ValidationFailure);
            }
        }
    }

    #[test]
    fn an_alert_is_about_the_certificate_of_exim() {
        let text = "(SSL_connect): error:0A000415:SSL routines::ssl/tls alert certificate expired";
        check(text, &GOOD, ValidationFailure);
        check("(recv): A TLS fatal alert has been received: Certificate is expired", &GOOD, ValidationFailure);
        check("(recv): A TLS fatal alert has been received: certificate has expired", &EXPIRED, ValidationFailure);
    }

    #[test]
    fn a_wildcard_covers_one_label() {
        assert!(covers(b"MX.example.org", b"mx.Example.org"));
        assert!(covers(b"*.example.org", b"mx.example.org"));
        assert!(!covers(b"*.example.org", b"a.mx.example.org"));
        assert!(!covers(b"*.example.org", b"example.org"));
        assert!(!covers(b"*", b"localhost"));
    }
}
