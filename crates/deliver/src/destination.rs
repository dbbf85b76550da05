//! Where a report goes: one URI of a TLSRPT record (RFC 8460 section 3), parsed into a type that can hold nothing else.
//!
//! Records are untrusted. This module refuses every address that could add a header, a recipient or a command argument. Text of a
//! record reaches a mail or a request only through these types.

use std::{fmt, str::FromStr};

use fluent_uri::{Uri, pct_enc::EStr};

/// The longest local part, in bytes (RFC 5321 section 4.5.3.1.1).
const LONGEST_LOCAL_PART: usize = 64;
/// The longest domain name, in bytes (RFC 1035 section 2.3.4).
const LONGEST_DOMAIN: usize = 253;
/// The longest label of a domain name, in bytes (RFC 1035 section 2.3.4).
const LONGEST_LABEL: usize = 63;
/// The longest URI that is served, in bytes: what servers commonly accept.
const LONGEST_URI: usize = 2048;
/// The port of HTTPS.
const HTTPS_PORT: u16 = 443;

/// Where a report goes. [`Display`](fmt::Display) writes the normal form: equal destinations have equal texts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Destination {
    /// By mail to this address.
    Mail(MailAddress),
    /// By POST to this URL.
    Https(HttpsUrl),
}

/// A mail address: a dot-atom and a host name, which need no quotes in a header or in an SMTP command.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MailAddress {
    local_part: String,
    domain: String,
}

/// An `https:` URL without user information and without a fragment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HttpsUrl(String);

/// Why a URI is not a destination.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not a URI (RFC 3986).
    #[error("it is not a URI")]
    NotAUri,
    /// A mail address without `mailto:`, the most common mistake.
    #[error("it has no scheme; write mailto:{0}")]
    WithoutMailto(String),
    /// Neither `mailto` nor `https` (RFC 8460 section 3).
    #[error("its scheme is neither mailto nor https")]
    Scheme,
    /// Too long.
    #[error("it is longer than {LONGEST_URI} bytes")]
    TooLong,
    /// Not an address that reports are sent to.
    #[error("its mail address is not usable: {0}")]
    Address(&'static str),
    /// Not a URL that reports are posted to.
    #[error("its URL is not usable: {0}")]
    Url(&'static str),
    /// A port that the configuration does not allow.
    #[error("its port {0} is not allowed; to post there, add it to ports of [https]")]
    Port(u16),
}

impl Destination {
    /// Parses a URI of a record.
    ///
    /// # Errors
    ///
    /// [`Refused`] if no report can be delivered to the URI.
    pub fn parse(uri: &str) -> Result<Self, Refused> {
        if uri.len() > LONGEST_URI {
            return Err(Refused::TooLong);
        }
        let Ok(parsed) = Uri::parse(uri) else {
            return Err(match uri.parse::<MailAddress>() {
                Ok(address) => Refused::WithoutMailto(address.to_string()),
                Err(_) => Refused::NotAUri,
            });
        };
        match parsed.scheme().as_str().to_ascii_lowercase().as_str() {
            // The header fields after "?" (RFC 6068) are ignored: the reporter alone writes the header.
            "mailto" => decoded(parsed.path())?.parse().map(Self::Mail).map_err(Refused::Address),
            "https" => HttpsUrl::of(&parsed).map(Self::Https),
            _ => Err(Refused::Scheme),
        }
    }

    /// Refuses a port that is not one of these.
    ///
    /// # Errors
    ///
    /// [`Refused::Port`].
    pub fn on_ports(self, ports: &[u16]) -> Result<Self, Refused> {
        match &self {
            Self::Https(HttpsUrl(url)) => {
                let port = port_of(url).unwrap_or(HTTPS_PORT);
                if ports.contains(&port) { Ok(self) } else { Err(Refused::Port(port)) }
            }
            Self::Mail(_) => Ok(self),
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mail(address) => {
                out.write_str("mailto:")?;
                address.local_part.bytes().try_for_each(|byte| write_encoded(out, byte))?;
                write!(out, "@{}", address.domain)
            }
            Self::Https(url) => url.fmt(out),
        }
    }
}

impl MailAddress {
    /// The part before the "@".
    #[must_use]
    pub fn local_part(&self) -> &str {
        &self.local_part
    }

    /// The same address with an extension of the local part (subaddress, RFC 5233): `name` becomes `name+extension`.
    #[must_use]
    pub fn with_extension(&self, extension: &str) -> Self {
        Self { local_part: format!("{}+{extension}", self.local_part), domain: self.domain.clone() }
    }

    /// The domain, in lower case.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }
}

impl FromStr for MailAddress {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (local_part, domain) = text.rsplit_once('@').ok_or("it has no \"@\"")?;
        if local_part.len() > LONGEST_LOCAL_PART {
            return Err("the part before the \"@\" is longer than 64 bytes");
        }
        // Quoted local parts are refused too: receivers of reports do not use them, and many programs parse them wrongly.
        if !local_part.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atext)) {
            return Err("the part before the \"@\" is not a dot-atom (RFC 5322 section 3.2.3)");
        }
        // A sendmail command could take it for an option.
        if local_part.starts_with('-') {
            return Err("the part before the \"@\" begins with a hyphen");
        }
        if !is_host_name(domain) {
            return Err("the part after the \"@\" is not a host name");
        }
        Ok(Self { local_part: local_part.into(), domain: domain.to_ascii_lowercase() })
    }
}

impl fmt::Display for MailAddress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}@{}", self.local_part, self.domain)
    }
}

impl HttpsUrl {
    fn of(uri: &Uri<&str>) -> Result<Self, Refused> {
        let authority = uri.authority().ok_or(Refused::Url("it names no host"))?;
        if authority.has_userinfo() {
            return Err(Refused::Url("it has a user name"));
        }
        let host = authority.host();
        // Programs differ in whether they decode a "%" in a host name. An address of a future version of IP would be looked up
        // as a name.
        let is_future = host.strip_prefix("[").is_some_and(|inner| inner.starts_with(['v', 'V']));
        if host.is_empty() || host.contains('%') || is_future {
            return Err(Refused::Url("its host is not a host name or an address"));
        }
        let port = match authority.port().map(EStr::as_str) {
            None | Some("") => HTTPS_PORT,
            Some(digits) => digits.parse().map_err(|_| Refused::Url("its port is not a number up to 65535"))?,
        };
        let mut url = format!("https://{}", host.to_ascii_lowercase());
        if port != HTTPS_PORT {
            url = format!("{url}:{port}");
        }
        url.push_str(if uri.path().as_str().is_empty() { "/" } else { uri.path().as_str() });
        if let Some(query) = uri.query() {
            url = format!("{url}?{query}");
        }
        Ok(Self(url))
    }

    /// The URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HttpsUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

fn decoded<E: fluent_uri::pct_enc::Encoder>(path: &EStr<E>) -> Result<String, Refused> {
    path.decode().to_string().map(std::borrow::Cow::into_owned).map_err(|_| Refused::Address("it is not UTF-8"))
}

/// Writes a byte of a local part, percent-encoded where a `mailto` URI needs it (RFC 6068 section 2). Parsed again, the text gives the
/// same address.
fn write_encoded(out: &mut fmt::Formatter<'_>, byte: u8) -> fmt::Result {
    if byte.is_ascii_alphanumeric() || b"-._~!$'*+".contains(&byte) {
        write!(out, "{}", char::from(byte))
    } else {
        write!(out, "%{byte:02X}")
    }
}

fn port_of(url: &str) -> Option<u16> {
    Uri::parse(url).ok()?.authority()?.port()?.as_str().parse().ok()
}

/// A character of an atom (RFC 5322 section 3.2.3).
fn is_atext(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

/// Whether it is a host name of at least two labels. One label, such as `localhost`, is a name of the local network.
pub(crate) fn is_host_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=LONGEST_LABEL).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    name.len() <= LONGEST_DOMAIN && name.contains('.') && name.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::{Destination, Refused};

    #[test]
    fn the_same_destination_has_one_text() {
        let cases = [
            ("mailto:reports@example.com", "mailto:reports@example.com"),
            ("MAILTO:reports@EXAMPLE.com", "mailto:reports@example.com"),
            ("mailto:tls%2Brpt@example.com", "mailto:tls+rpt@example.com"),
            ("mailto:a%21b@example.com", "mailto:a!b@example.com"),
            ("mailto:a%252bb@example.com", "mailto:a%252bb@example.com"),
            ("mailto:a%23b%3Fc%2fd%60@example.com", "mailto:a%23b%3Fc%2Fd%60@example.com"),
            ("mailto:a@example.com?subject=x", "mailto:a@example.com"),
            ("https://Reports.Example.com", "https://reports.example.com/"),
            ("https://example.com:443/v1?x=%2C#there", "https://example.com/v1?x=%2C"),
            ("https://example.com:8443/v1", "https://example.com:8443/v1"),
            ("https://[2001:DB8::1]/", "https://[2001:db8::1]/"),
        ];
        for (given, expected) in cases {
            assert_eq!(Destination::parse(given).map(|found| found.to_string()).as_deref(), Ok(expected), "{given}");
            assert_eq!(Destination::parse(given), Destination::parse(expected), "{given}");
        }
    }

    #[test]
    fn what_could_add_a_header_a_recipient_or_an_argument_is_refused() {
        let addresses = [
            "mailto:a%0D%0ABcc:b@example.com",
            "mailto:a%0Ab@example.com",
            "mailto:a@example.com%0D%0ARCPT TO:<b@c.example>",
            "mailto:a@example.com%2Cb@c.example",
            "mailto:a@example.com,b@c.example",
            "mailto:a%2Cb@example.com",
            "mailto:%22a%20b%22@example.com",
            "mailto:-oQ/tmp@example.com",
            "mailto:a%00@example.com",
            "mailto:a@example.com%3E",
            "mailto:a@[127.0.0.1]",
            "mailto:a@localhost",
            "mailto:a@-example.com",
            "mailto:@example.com",
            "mailto:a@",
            "mailto:a",
            "mailto:",
            "mailto:%FF@example.com",
            "mailto:%C3%A4@example.com",
            "mailto:a..b@example.com",
            "mailto:a@b@c%20d.example",
        ];
        for uri in addresses {
            let refused = Destination::parse(uri);
            assert!(matches!(refused, Err(Refused::Address(_) | Refused::NotAUri)), "{uri}: {refused:?}");
        }
        let long = format!("mailto:{}@example.com", "a".repeat(65));
        assert!(matches!(Destination::parse(&long), Err(Refused::Address(_))));
        let long = format!("mailto:a@{}.example", "a.".repeat(130));
        assert!(matches!(Destination::parse(&long), Err(Refused::Address(_))));
    }

    #[test]
    fn what_is_no_https_url_is_refused() {
        for uri in ["http://example.com/", "ftp://example.com/", "file:///etc/passwd", "javascript:x", "ldap://a/"] {
            assert_eq!(Destination::parse(uri), Err(Refused::Scheme), "{uri}");
        }
        for uri in ["https:///x", "https:x", "https://user@example.com/", "https://u:p@example.com/", "https://a%2eb/"]
        {
            assert!(matches!(Destination::parse(uri), Err(Refused::Url(_))), "{uri}");
        }
        assert!(matches!(Destination::parse("https://example.com:99999/"), Err(Refused::Url(_))));
        assert_eq!(Destination::parse(&format!("https://example.com/{}", "a".repeat(2048))), Err(Refused::TooLong));
        assert_eq!(Destination::parse("https://exa mple.com/"), Err(Refused::NotAUri));
    }

    #[test]
    fn an_address_without_its_scheme_is_named_as_that() {
        let refused = Destination::parse("reports@example.com").unwrap_err();
        assert_eq!(refused, Refused::WithoutMailto("reports@example.com".into()));
        assert_eq!(refused.to_string(), "it has no scheme; write mailto:reports@example.com");
    }

    #[test]
    fn another_port_needs_to_be_allowed() {
        let destination = |uri| Destination::parse(uri).unwrap().on_ports(&[443]);
        assert_eq!(destination("https://example.com:8443/"), Err(Refused::Port(8443)));
        assert!(destination("https://example.com:443/").is_ok());
        assert!(destination("https://[2001:db8::1]/").is_ok());
        assert!(destination("mailto:a@example.com").is_ok());
    }
}
