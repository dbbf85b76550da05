//! The failure type that Exim's words stand for.
//!
//! Exim passes on what its TLS library says, GnuTLS or OpenSSL. Where that leaves several reasons open, the server's
//! certificate decides.

#![forbid(unsafe_code)]

use libc::time_t;
use tlsrpt::FailureType::{
    self, CertificateExpired, CertificateHostMismatch, CertificateNotTrusted, TlsaInvalid, ValidationFailure,
};

use crate::text::{contains, lines};

/// What is known of the server's certificate when its verification has failed. With OpenSSL it is the certificate of
/// the chain that failed.
#[derive(Debug, Clone, Copy)]
pub struct Certificate<'a> {
    /// When it expires, in seconds of the epoch.
    pub expires: Option<time_t>,
    /// Its DNS names, one a line.
    pub names: &'a [u8],
    /// The MX host that showed it.
    pub host: &'a [u8],
    /// The time, in seconds of the epoch.
    pub now: time_t,
}

/// Pieces of texts of which each can mean one thing only.
const EXACT: &[(&[u8], FailureType)] = &[
    // GnuTLS says "TLSA record problem: none usable"; with OpenSSL it is Exim's DANE library that complains.
    (b"TLSA record problem", TlsaInvalid),
    (b"tlsa load", TlsaInvalid),
    (b"expired", CertificateExpired),
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

/// With GnuTLS, Exim gives no reason for a name that is not in the certificate, and only for that.
const GNUTLS_NAME_MISMATCH: &[u8] = b"(certificate verification failed)";
/// All that Exim says with GnuTLS of a certificate that is not valid for whatever other reason but being revoked.
const GNUTLS_INVALID: &[u8] = b"certificate invalid";
/// All that Exim says with OpenSSL of a certificate that is not valid for whatever reason.
const OPENSSL_INVALID: &[u8] = b"certificate verify failed";

/// The type that the text of a failed TLS session stands for.
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
    /// Why its verification has failed. The certificate of an authority has no DNS names.
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

/// Whether a name in a certificate stands for this host. A wildcard stands for one label (RFC 6125 section 6.4.3).
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
    fn a_wildcard_covers_one_label() {
        assert!(covers(b"MX.example.org", b"mx.Example.org"));
        assert!(covers(b"*.example.org", b"mx.example.org"));
        assert!(!covers(b"*.example.org", b"a.mx.example.org"));
        assert!(!covers(b"*.example.org", b"example.org"));
        assert!(!covers(b"*", b"localhost"));
    }
}
