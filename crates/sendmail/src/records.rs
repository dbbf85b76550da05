//! Looks up the TLSRPT record of the recipients' domain, and whether DANE applied to a connection.

use std::{io, time::Duration};

use tlsrpt::only_record;

use crate::{
    handshake::{Handshake, Verify},
    resolver::{Resolver, Tlsa},
};

/// The labels before a domain's name at which its TLSRPT record is (RFC 8460 section 3).
pub const TLSRPT_LABELS: &str = "_smtp._tls.";
/// The labels before an MX host's name at which its TLSA records are (RFC 7672 section 2.2.3).
const TLSA_LABELS: &str = "_25._tcp.";

/// The TLSRPT record of a domain, if it has exactly one.
///
/// # Errors
///
/// DNS gives no answer.
pub async fn tlsrpt_record(resolver: &Resolver, domain: &str) -> io::Result<Option<Vec<u8>>> {
    // Sendmail passes an address in brackets instead of a domain if its configuration names the host.
    if domain.is_empty() || domain.starts_with('[') {
        return Ok(None);
    }
    let texts = resolver.texts(&format!("{TLSRPT_LABELS}{domain}")).await?;
    Ok(only_record(texts.iter().map(Vec::as_slice)).map(<[u8]>::to_vec))
}

/// Like [`tlsrpt_record`], but blocks the thread, for at most `limit`.
///
/// # Errors
///
/// DNS gives no answer in that time, or the system gives no sockets.
pub fn tlsrpt_record_within(resolver: &Resolver, domain: &str, limit: Duration) -> io::Result<Option<Vec<u8>>> {
    within(limit, tlsrpt_record(resolver, domain))
}

/// The TXT records of a name, each with its strings joined. Blocks the thread, for at most `limit`.
///
/// # Errors
///
/// DNS gives no answer in that time, or the system gives no sockets.
pub fn texts_within(resolver: &Resolver, name: &str, limit: Duration) -> io::Result<Vec<Vec<u8>>> {
    within(limit, resolver.texts(name))
}

/// Whether DNSSEC validated the start of authority of a zone; `.` is the root. Blocks the thread, for at most `limit`.
///
/// # Errors
///
/// DNS gives no answer in that time, or the system gives no sockets.
pub fn is_validated_within(resolver: &Resolver, zone: &str, limit: Duration) -> io::Result<bool> {
    within(limit, resolver.zone_is_validated(zone))
}

pub(crate) fn within<T>(limit: Duration, lookup: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    let no_answer = |_| io::Error::new(io::ErrorKind::TimedOut, format!("DNS: no answer within {} s", limit.as_secs()));
    runtime.block_on(async { tokio::time::timeout(limit, lookup).await.map_err(no_answer)? })
}

/// The TLSA records that applied to the connection. Empty if DANE did not apply.
///
/// Sendmail reports that DANE applied only if it verified a certificate. In the other cases DANE applied if Sendmail's
/// option DANE is on and DNSSEC validated the domain's MX records and the host's TLSA records (RFC 7672 section 2.2).
///
/// # Errors
///
/// DNS gives no answer.
pub async fn dane_records(resolver: &Resolver, handshake: &Handshake) -> io::Result<Vec<String>> {
    let verified_by_dane = matches!(handshake.verify, Verify::Trusted | Verify::DaneFail);
    if !handshake.dane && !verified_by_dane {
        return Ok(Vec::new());
    }
    let Tlsa { records, validated } = resolver.tlsa(&format!("{TLSA_LABELS}{}", handshake.host)).await?;
    let applied =
        verified_by_dane || (validated && !records.is_empty() && resolver.mx_is_validated(&handshake.domain).await?);
    Ok(if applied { records } else { Vec::new() })
}
