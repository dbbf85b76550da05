//! The key of a lookup: Sendmail's facts about one outgoing connection.
//!
//! ```text
//! tlsrpt VERIFY;DOMAIN;MX HOST;ITS ADDRESS;OUR ADDRESS;REQUIREMENT;DANE
//! ```
//!
//! The first word is the name of the map. Sendmail splits the key into tokens and joins them again, so spaces can be
//! anywhere; no field can contain the separator.

use std::net::IpAddr;

use tlsrpt_format::printable;

/// The number of fields in a key.
const FIELDS: usize = 7;

/// One connection as Sendmail sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handshake {
    /// `${verify}`: the result of STARTTLS.
    pub verify: Verify,
    /// `$h`: the recipients' domain.
    pub domain: String,
    /// `${server_name}`: the MX host.
    pub host: String,
    /// `${server_addr}`: its address.
    pub receiving_ip: Option<IpAddr>,
    /// `${if_addr_out}`: our address. Sendmail leaves it empty for some interfaces.
    pub sending_ip: Option<IpAddr>,
    /// The demand of the `TLS_Srv` entry for the host in the access map.
    pub required: Requirement,
    /// Whether Sendmail's option DANE is on.
    pub dane: bool,
}

/// The result of STARTTLS (`${verify}` in Sendmail's Installation and Operation Guide).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verify {
    /// The certificate was verified.
    Ok,
    /// The certificate was verified by DANE.
    Trusted,
    /// TLS is on; the certificate was not verified, or there was none.
    Unverified,
    /// The server offers no STARTTLS, or it was not tried.
    None,
    /// The server refused STARTTLS.
    Refused,
    /// The handshake failed.
    Software,
    /// DANE failed.
    DaneFail,
    /// No result: an error in Sendmail's own configuration, or an unknown word.
    Other,
}

/// The demand of a `TLS_Srv` entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requirement {
    /// Nothing: TLS is used where it is offered.
    Nothing,
    /// TLS.
    Encryption,
    /// TLS with a verified certificate.
    Verification,
}

impl Handshake {
    /// Reads a key.
    ///
    /// # Errors
    ///
    /// The key does not have this form; the text says why.
    pub fn read(key: &[u8]) -> Result<Self, String> {
        let shown = || format!("\"{}\"", printable(&String::from_utf8_lossy(key)));
        let text = std::str::from_utf8(key).map_err(|_| format!("the key {} is not UTF-8", shown()))?;
        let (_map, facts) = text.split_once(' ').ok_or_else(|| format!("the key {} has no map name", shown()))?;
        let fields: Vec<_> = facts.split(';').map(str::trim).collect();
        let &[verify, domain, host, receiving_ip, sending_ip, required, dane] = fields.as_slice() else {
            let count = fields.len();
            return Err(format!("the key {} has {count} fields, not {FIELDS}: use the rules of tlsrpt.m4", shown()));
        };
        Ok(Self {
            verify: Verify::read(verify),
            domain: name(domain),
            host: name(host),
            receiving_ip: address(receiving_ip),
            sending_ip: address(sending_ip),
            required: Requirement::read(required),
            dane: dane == "dane",
        })
    }
}

impl Verify {
    fn read(word: &str) -> Self {
        match word {
            "OK" => Self::Ok,
            "TRUSTED" => Self::Trusted,
            "FAIL" | "NO" | "NOT" => Self::Unverified,
            "NONE" => Self::None,
            "TEMP" | "PROTOCOL" => Self::Refused,
            "SOFTWARE" => Self::Software,
            "DANE_FAIL" => Self::DaneFail,
            _ => Self::Other,
        }
    }
}

impl Requirement {
    /// Reads a value of the access map, for instance `PERM+VERIFY:256+CN:mail.example.org` or `ENCR:112`.
    fn read(entry: &str) -> Self {
        let demand = entry.strip_prefix("TEMP+").or_else(|| entry.strip_prefix("PERM+")).unwrap_or(entry);
        if demand.starts_with("VERIFY") {
            Self::Verification
        } else if demand.starts_with("ENCR") {
            Self::Encryption
        } else {
            Self::Nothing
        }
    }
}

/// A name in lower case, without the dot of the root.
fn name(text: &str) -> String {
    text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase()
}

/// An address as Sendmail writes it: `192.0.2.25`, `IPv6:2001:db8:0:0:0:0:0:25`.
fn address(text: &str) -> Option<IpAddr> {
    text.strip_prefix("IPv6:").unwrap_or(text).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Handshake, Requirement, Verify};

    #[test]
    fn reads_what_sendmail_sends() {
        let key = b"tlsrpt OK;Good.test.;mx.good.test;IPv6:2001:db8:0:0:0:0:1:24;192.0.2.1;?;dane";
        let read = Handshake::read(key).unwrap();
        assert_eq!(read.verify, Verify::Ok);
        assert_eq!((read.domain.as_str(), read.host.as_str()), ("good.test", "mx.good.test"));
        assert_eq!(read.receiving_ip.unwrap().to_string(), "2001:db8::1:24");
        assert_eq!(read.sending_ip.unwrap().to_string(), "192.0.2.1");
        assert_eq!((read.required, read.dane), (Requirement::Nothing, true));
    }

    #[test]
    fn spaces_and_missing_facts_do_no_harm() {
        let read = Handshake::read(b"tlsrpt FAIL ; example.org. ; mx ; ; ; PERM+VERIFY:256 ;").unwrap();
        assert_eq!(read.verify, Verify::Unverified);
        assert_eq!((read.receiving_ip, read.sending_ip, read.dane), (None, None, false));
        assert_eq!(read.required, Requirement::Verification);
    }

    #[test]
    fn reads_requirements() {
        for (entry, expected) in [
            ("ENCR:112", Requirement::Encryption),
            ("TEMP+ENCR:112", Requirement::Encryption),
            ("VERIFY", Requirement::Verification),
            ("PERM+VERIFY:256+CN:mx.example.org", Requirement::Verification),
            ("ENCR:112+CN:mx.example.org", Requirement::Encryption),
            ("?", Requirement::Nothing),
        ] {
            assert_eq!(Requirement::read(entry), expected, "{entry}");
        }
    }

    #[test]
    fn says_what_is_wrong_with_a_key() {
        for (key, expected) in [
            (b"tlsrpt".as_slice(), "map name"),
            (b"tlsrpt OK;example.org", "2 fields"),
            (b"tlsrpt a;b;c;d;e;f;g;h", "8 fields"),
            (b"tlsrpt \xff", "UTF-8"),
        ] {
            let error = Handshake::read(key).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
