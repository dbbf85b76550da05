//! The TLSRPT record of a domain among its TXT records (RFC 8460 section 3).

#![forbid(unsafe_code)]

use crate::text::lines;

/// The one TLSRPT record among these, one a line. A domain with none has no wish for reports, and one with several is
/// to be treated as one with none.
#[must_use]
pub fn only_record(texts: &[u8]) -> Option<&[u8]> {
    let mut records = lines(texts).filter(|text| is_record(text));
    records.next().filter(|_| records.next().is_none())
}

/// Whether a TXT record begins with the version and the end of that field.
fn is_record(text: &[u8]) -> bool {
    text.strip_prefix(b"v=TLSRPTv1").is_some_and(|rest| rest.trim_ascii_start().starts_with(b";"))
}

#[cfg(test)]
mod tests {
    use super::only_record;

    #[test]
    fn takes_the_only_record() {
        let record = b"v=TLSRPTv1; rua=mailto:reports@example.org";
        assert_eq!(only_record(record), Some(record.as_slice()));
        assert_eq!(
            only_record(b"v=spf1 -all\nv=TLSRPTv1;rua=https://example.org/\n"),
            Some(b"v=TLSRPTv1;rua=https://example.org/".as_slice())
        );
        assert_eq!(only_record(b"v=TLSRPTv1 ;rua=mailto:a@b"), Some(b"v=TLSRPTv1 ;rua=mailto:a@b".as_slice()));
    }

    #[test]
    fn takes_none_where_none_counts() {
        assert_eq!(only_record(b""), None);
        assert_eq!(only_record(b"v=spf1 -all"), None);
        assert_eq!(only_record(b"v=TLSRPTv12; rua=mailto:a@b"), None);
        assert_eq!(only_record(b"v=TLSRPTv1"), None);
        assert_eq!(only_record(b"v=TLSRPTv1; rua=mailto:a@b\nv=TLSRPTv1; rua=mailto:c@d"), None);
    }
}
