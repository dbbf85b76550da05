//! Lists.

use std::fmt::Display;

use ipnet::IpNet;
use tlsrpt_format::printable;
use toml::de::DeValue;

use super::{
    address::domain,
    definition::{Kind, Refused, quoted, string},
    number::Count,
};

/// Networks, each by an address and a prefix length.
#[derive(Debug)]
pub enum Networks {}

impl Kind for Networks {
    type Value = Vec<IpNet>;
    const NAME: &'static str = "list of networks";
    const EXAMPLE: &'static str = "[\"192.0.2.0/24\", \"2001:db8::/32\"]";

    fn read(value: &DeValue<'_>) -> Result<Vec<IpNet>, Refused> {
        items(value, |item| {
            let text = string(item)?;
            let network: IpNet = text.parse().map_err(|_| format!("{} is not a network", printable(text)))?;
            if network.trunc() == network {
                Ok(network)
            } else {
                Err(format!("{network} has address bits after its prefix; write {}", network.trunc()).into())
            }
        })
    }

    fn show(value: &Vec<IpNet>) -> String {
        list(value.iter().map(|network| quoted(&network.to_string())))
    }
}

/// A program and its arguments.
#[derive(Debug)]
pub enum Program {}

impl Kind for Program {
    type Value = Vec<String>;
    const NAME: &'static str = "list of a program and its arguments";
    const EXAMPLE: &'static str = "[\"/usr/local/bin/page\", \"tls\"]";

    fn read(value: &DeValue<'_>) -> Result<Vec<String>, Refused> {
        let words = items(value, |item| string(item).map(str::to_owned))?;
        match words.first() {
            None => Err("it is empty".into()),
            Some(program) if !program.starts_with('/') => {
                Err(format!("{} is not the absolute path of a program", printable(program)).into())
            }
            _ if words.iter().any(|word| word.contains('\0')) => Err(Refused::Form),
            _ => Ok(words),
        }
    }

    fn show(value: &Vec<String>) -> String {
        list(value.iter().map(|word| quoted(word)))
    }
}

/// TCP ports.
#[derive(Debug)]
pub enum Ports {}

impl Kind for Ports {
    type Value = Vec<u16>;
    const NAME: &'static str = "list of ports";
    const EXAMPLE: &'static str = "[443, 8443]";

    fn read(value: &DeValue<'_>) -> Result<Vec<u16>, Refused> {
        items(value, |item| match u16::try_from(Count::read(item)?) {
            Ok(port) if port > 0 => Ok(port),
            _ => Err("a port is a number from 1 to 65535".into()),
        })
    }

    fn show(value: &Vec<u16>) -> String {
        list(value)
    }
}

/// Domains.
#[derive(Debug)]
pub enum Domains {}

impl Kind for Domains {
    type Value = Vec<String>;
    const NAME: &'static str = "list of domains";
    const EXAMPLE: &'static str = "[\"example.com\", \"example.net\"]";

    fn read(value: &DeValue<'_>) -> Result<Vec<String>, Refused> {
        items(value, |item| {
            let text = string(item)?;
            domain(text).map_err(|_| format!("{} is not a domain", printable(text)).into())
        })
    }

    fn show(value: &Vec<String>) -> String {
        list(value.iter().map(|domain| quoted(domain)))
    }
}

fn items<T>(value: &DeValue<'_>, read: impl Fn(&DeValue<'_>) -> Result<T, Refused>) -> Result<Vec<T>, Refused> {
    let array = value.as_array().ok_or(Refused::Form)?;
    array.iter().map(|item| read(item.get_ref())).collect()
}

fn list<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<_> = items.into_iter().map(|item| item.to_string()).collect();
    format!("[{}]", items.join(", "))
}

#[cfg(test)]
mod tests {
    use super::{Domains, Networks, Ports, Program};
    use crate::kind::definition::tests::{again, of_another_form, reason, unchanged};

    #[test]
    fn networks_have_a_prefix_length_and_no_further_address_bits() {
        unchanged::<Networks>(&["[]", "[\"127.0.0.0/8\", \"::1/128\"]"]);
        of_another_form::<Networks>(&["\"127.0.0.0/8\"", "[1]"]);
        assert_eq!(reason::<Networks>("[\"127.0.0.1\"]"), "127.0.0.1 is not a network");
        assert_eq!(reason::<Networks>("[\"10.0.0.0/33\"]"), "10.0.0.0/33 is not a network");
        assert!(reason::<Networks>("[\"127.0.0.1/8\"]").ends_with("write 127.0.0.0/8"));
    }

    #[test]
    fn programs_have_an_absolute_path() {
        unchanged::<Program>(&["[\"/bin/true\"]", "[\"/bin/page\", \"a b\", \"\"]"]);
        of_another_form::<Program>(&["\"/bin/true\"", "[1]", "[\"/bin/true\", \"\\u0000\"]"]);
        assert_eq!(reason::<Program>("[]"), "it is empty");
        assert_eq!(reason::<Program>("[\"page\"]"), "page is not the absolute path of a program");
    }

    #[test]
    fn ports() {
        unchanged::<Ports>(&["[443]", "[1, 65535]"]);
        of_another_form::<Ports>(&["443", "[\"443\"]"]);
        assert!(reason::<Ports>("[0]").contains("1 to 65535"));
        assert!(reason::<Ports>("[65536]").contains("1 to 65535"));
    }

    #[test]
    fn domains() {
        assert_eq!(again::<Domains>("[\"Example.com.\"]"), Ok("[\"example.com\"]".into()));
        assert_eq!(reason::<Domains>("[\"a b\\u001b\"]"), "a b\\u{1b} is not a domain");
    }
}
