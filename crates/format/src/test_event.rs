//! The event by which `tlsrpt check --send` tries the way from the mail server to the store.

/// Its domain. No domain of the Internet is below `.invalid` (RFC 6761 section 6.4), so a real event never has it. No report is
/// made about it.
pub const TEST_DOMAIN: &str = "tlsrpt-check.invalid";
/// Its TLSRPT record. Another reporter that makes a report of it can deliver it to nobody.
pub const TEST_RECORD: &str = "v=TLSRPTv1; rua=mailto:nobody@tlsrpt-check.invalid";
