//! Domains and mail addresses.

use email_address::{EmailAddress, Options};
use toml::de::DeValue;

use super::definition::{Kind, Refused, quoted, string};

/// A mail address without a display name.
#[derive(Debug)]
pub enum MailAddress {}

impl Kind for MailAddress {
    type Value = String;
    const NAME: &'static str = "mail address";
    const EXAMPLE: &'static str = "\"tlsrpt@example.com\"";

    fn read(value: &DeValue<'_>) -> Result<String, Refused> {
        let text = string(value)?;
        let options = Options::default().without_display_text().without_domain_literal().with_required_tld();
        EmailAddress::parse_with_options(text, options).map_err(|_| Refused::Form)?;
        Ok(text.into())
    }

    fn show(value: &String) -> String {
        quoted(value)
    }
}

/// A domain name, or one that follows the same rules.
#[derive(Debug)]
pub enum Domain {}

impl Kind for Domain {
    type Value = String;
    const NAME: &'static str = "domain";
    const EXAMPLE: &'static str = "\"example.com\"";

    fn read(value: &DeValue<'_>) -> Result<String, Refused> {
        domain(string(value)?)
    }

    fn show(value: &String) -> String {
        quoted(value)
    }
}

/// In lower case and without a dot at the end. Names with other letters are written as `xn--` in DNS, and here.
pub(super) fn domain(text: &str) -> Result<String, Refused> {
    const LONGEST_NAME: usize = 253;
    const LONGEST_LABEL: usize = 63;
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let fits =
        |label: &str| (1..=LONGEST_LABEL).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-');
    let is_plain = |label: &str| label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if name.len() <= LONGEST_NAME && name.split('.').all(|label| fits(label) && is_plain(label)) {
        Ok(name)
    } else {
        Err(Refused::Form)
    }
}

#[cfg(test)]
mod tests {
    use super::{Domain, MailAddress};
    use crate::kind::definition::tests::{again, of_another_form, unchanged};

    #[test]
    fn mail_addresses_contain_nothing_else() {
        unchanged::<MailAddress>(&["\"tlsrpt@example.com\"", "\"a+b.c@mail.example.com\""]);
        of_another_form::<MailAddress>(&[
            "1",
            "\"\"",
            "\"postmaster\"",
            "\"a@b@example.com\"",
            "\"A <a@example.com>\"",
            "\"a@example.com, b@example.com\"",
            "\"a@example.com\\nBcc: b@example.com\"",
            "\"a b@example.com\"",
            "\"mailto:\\u0007@example.com\"",
        ]);
    }

    #[test]
    fn domains() {
        unchanged::<Domain>(&["\"example.com\"", "\"tlsrpt\"", "\"xn--bcher-kva.example\""]);
        assert_eq!(again::<Domain>("\"Example.COM.\""), Ok("\"example.com\"".into()));
        let long = format!("\"{}\"", "x".repeat(64));
        of_another_form::<Domain>(&[
            "\"\"",
            "\".\"",
            "\"a..b\"",
            "\"a b\"",
            "\"-a\"",
            "\"bücher.example\"",
            &long,
            "1",
        ]);
    }
}
