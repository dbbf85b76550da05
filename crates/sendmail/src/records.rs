//! What only DNS knows of a connection: the recipient domain's TLSRPT record, and whether DANE applied.

use std::io;

use tlsrpt::only_record;

use crate::{
    dns::{Resolver, Tlsa},
    handshake::{Handshake, Verify},
};

/// Where the TLSRPT record of a domain is (RFC 8460 section 3).
const RECORD_OF: &str = "_smtp._tls.";
/// Where the TLSA records of an MX host are (RFC 7672 section 2.2.3).
const TLSA_OF: &str = "_25._tcp.";

/// The TLSRPT record of a domain, if it has one that counts.
///
/// # Errors
///
/// DNS gave no answer.
pub fn tlsrpt_record(resolver: &Resolver, domain: &str) -> io::Result<Option<Vec<u8>>> {
    // An address in brackets stands in the place of a domain for a host that is named by the configuration.
    if domain.is_empty() || domain.starts_with('[') {
        return Ok(None);
    }
    let texts = resolver.texts(&format!("{RECORD_OF}{domain}"))?;
    Ok(only_record(texts.iter().map(Vec::as_slice)).map(<[u8]>::to_vec))
}

/// The TLSA records that the connection was held to; none where DANE did not apply.
///
/// Sendmail says that DANE was at work only where it verified a certificate. Otherwise it was if Sendmail does DANE at all
/// and DNSSEC vouches for the domain's MX records and for the host's TLSA records (RFC 7672 section 2.2).
///
/// # Errors
///
/// DNS gave no answer.
pub fn dane_records(resolver: &Resolver, handshake: &Handshake) -> io::Result<Vec<String>> {
    let named = matches!(handshake.verify, Verify::Trusted | Verify::DaneFail);
    if !handshake.dane && !named {
        return Ok(Vec::new());
    }
    let Tlsa { records, validated } = resolver.tlsa(&format!("{TLSA_OF}{}", handshake.host))?;
    let applied = named || (validated && !records.is_empty() && resolver.mx_is_validated(&handshake.domain)?);
    Ok(if applied { records } else { Vec::new() })
}
