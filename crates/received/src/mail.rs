//! What the header of a mail says about the report in it.

use crate::{header::Header, limits};

/// The header of the mail that a report came in. Anybody can write these fields: only a DKIM signature says who did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MailFacts {
    /// The domain of the From address, in lower case.
    pub from_domain: Option<String>,
    /// `TLS-Report-Domain`: the domain that the report is about.
    pub report_domain: Option<String>,
    /// `TLS-Report-Submitter`: the domain that sent the report.
    pub submitter: Option<String>,
    /// The mail is a `multipart/report` with the report type `tlsrpt`.
    pub is_report: bool,
}

/// The field with the domain that a report is about.
pub(crate) const REPORT_DOMAIN: &str = "TLS-Report-Domain";
/// The field with the domain that sent the report.
pub(crate) const SUBMITTER: &str = "TLS-Report-Submitter";

impl MailFacts {
    pub(crate) fn of(header: &Header<'_>) -> Self {
        let content = header.parameters("Content-Type");
        let is_report = content.get("report-type").is_some_and(|kind| kind.eq_ignore_ascii_case("tlsrpt"));
        Self {
            from_domain: header.text("From").and_then(|from| domain_of(&from)),
            report_domain: header.text(REPORT_DOMAIN).filter(|text| !text.is_empty()),
            submitter: header.text(SUBMITTER).filter(|text| !text.is_empty()),
            is_report,
        }
    }
}

/// The domain of the address in a From field with one address.
pub(crate) fn domain_of(from: &str) -> Option<String> {
    let address = match from.rsplit_once('<') {
        Some((_, address)) => address.split('>').next()?,
        None => from,
    };
    let (_, domain) = address.trim().rsplit_once('@')?;
    let domain: String = domain.chars().take_while(|character| !character.is_whitespace()).take(limits::TEXT).collect();
    (!domain.is_empty()).then(|| domain.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::domain_of;

    #[test]
    fn the_domain_of_the_address() {
        for from in ["a@Example.org", "Name <a@example.org>", "\"x <y@other.example>\" <a@example.org> (note)"] {
            assert_eq!(domain_of(from).as_deref(), Some("example.org"), "{from}");
        }
        assert_eq!(domain_of("nobody"), None);
    }
}
