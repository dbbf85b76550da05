//! The TLSRPT record of a domain among its TXT records.

#![forbid(unsafe_code)]

/// The TLSRPT record among the TXT records at `_smtp._tls` below a domain (RFC 8460 section 3). Pass it to
/// [`Connection::delivery_request`](crate::Connection::delivery_request).
///
/// `None` if there is no TLSRPT record or more than one: such a domain gets no report. Each text is one TXT record with
/// its strings joined.
///
/// ```
/// let texts: [&[u8]; 2] = [b"v=spf1 -all", b"v=TLSRPTv1; rua=mailto:tls@example.org"];
/// assert_eq!(tlsrpt::only_record(texts), Some(texts[1]));
/// ```
#[must_use]
pub fn only_record<'a>(texts: impl IntoIterator<Item = &'a [u8]>) -> Option<&'a [u8]> {
    let mut records = texts.into_iter().filter(|text| is_record(text));
    records.next().filter(|_| records.next().is_none())
}

/// Whether a TXT record begins with the version field of TLSRPT.
fn is_record(text: &[u8]) -> bool {
    text.strip_prefix(b"v=TLSRPTv1").is_some_and(|rest| rest.trim_ascii_start().starts_with(b";"))
}

#[cfg(test)]
mod tests {
    use super::only_record;

    fn among(texts: &[&'static str]) -> Option<&'static str> {
        only_record(texts.iter().map(|text| text.as_bytes())).map(|record| core::str::from_utf8(record).unwrap())
    }

    #[test]
    fn takes_the_only_record() {
        assert_eq!(among(&["v=TLSRPTv1; rua=mailto:a@b"]), Some("v=TLSRPTv1; rua=mailto:a@b"));
        assert_eq!(among(&["v=spf1 -all", "v=TLSRPTv1;rua=https://b/"]), Some("v=TLSRPTv1;rua=https://b/"));
        assert_eq!(among(&["v=TLSRPTv1 ;rua=mailto:a@b"]), Some("v=TLSRPTv1 ;rua=mailto:a@b"));
    }

    #[test]
    fn takes_none_without_a_single_valid_record() {
        assert_eq!(among(&[]), None);
        assert_eq!(among(&["v=spf1 -all"]), None);
        assert_eq!(among(&["v=TLSRPTv12; rua=mailto:a@b"]), None);
        assert_eq!(among(&["v=TLSRPTv1"]), None);
        assert_eq!(among(&["v=TLSRPTv1; rua=mailto:a@b", "v=TLSRPTv1; rua=mailto:c@d"]), None);
    }
}
