//! The configuration of OpenDKIM, see opendkim.conf(5), and that of dkimpy-milter, which has the same settings and some more for keys of
//! Ed25519.

use std::{collections::HashMap, path::Path};

use crate::{
    bounded,
    signature::{Mail, Signature, Signing, domain_of},
};

/// How a mail is signed.
pub(super) fn signing(file: &'static str, mail: Mail<'_>) -> Option<Signing> {
    let text = bounded::read_text(Path::new(file)).ok()?;
    let signatures: Vec<_> = KEYS.iter().filter_map(|keys| signature(&text, keys, mail.from)).collect();
    Some(match signatures.is_empty() {
        false => Signing::By(signatures),
        true => Signing::Nothing("its tables or its Domain do not have them, or its Mode is not to sign".into()),
    })
}

/// The names of the settings for keys of one kind, in lower case.
struct Keys {
    table: &'static str,
    selector: &'static str,
    file: &'static str,
}

const KEYS: [Keys; 2] = [
    Keys { table: "keytable", selector: "selector", file: "keyfile" },
    Keys { table: "keytableed25519", selector: "selectored25519", file: "keyfileed25519" },
];

fn signature(text: &str, keys: &Keys, from: &str) -> Option<Signature> {
    let settings = settings(text);
    let value = |name: &str| settings.get(name).map(String::as_str);
    if value("mode").is_some_and(|mode| !mode.contains('s')) {
        return None;
    }
    match value("signingtable") {
        Some(table) => by_tables(table, value(keys.table)?, from),
        None => {
            let domains = list(value("domain")?);
            let domain = domains.into_iter().find(|domain| domain.eq_ignore_ascii_case(domain_of(from)))?;
            Some(Signature { domain, selector: value(keys.selector)?.into(), key: value(keys.file)?.into() })
        }
    }
}

/// `Name value`, one a line. Names have no case.
fn settings(text: &str) -> HashMap<String, String> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or("").trim());
    let pairs = lines.filter_map(|line| line.split_once(char::is_whitespace));
    pairs.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect()
}

/// A list with commas, or a file with one item a line.
fn list(value: &str) -> Vec<String> {
    match file_of(value) {
        Some(file) => entries(file).into_iter().map(|(key, _)| key).collect(),
        None => value.trim_start_matches("csl:").split(',').map(|item| item.trim().to_owned()).collect(),
    }
}

/// The path of a table in a file.
fn file_of(value: &str) -> Option<&str> {
    let path = value.strip_prefix("refile:").or_else(|| value.strip_prefix("file:")).unwrap_or(value);
    path.starts_with('/').then_some(path)
}

/// `key value`, one a line. A line may have no value.
fn entries(file: &str) -> Vec<(String, String)> {
    let text = bounded::read_text(Path::new(file)).unwrap_or_default();
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or("").trim()).filter(|line| !line.is_empty());
    let pair = |line: &str| {
        let (key, value) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        (key.to_owned(), value.trim().to_owned())
    };
    lines.map(pair).collect()
}

fn by_tables(signing: &str, keys: &str, from: &str) -> Option<Signature> {
    let is_pattern = signing.starts_with("refile:");
    let domain = domain_of(from);
    let matches = |key: &str| match is_pattern {
        true => matches_pattern(key, from),
        false => [from, domain].iter().any(|wanted| key.eq_ignore_ascii_case(wanted)) || matches_parent(key, domain),
    };
    let name = entries(file_of(signing)?).into_iter().find(|(key, _)| matches(key))?.1;
    let value = entries(file_of(keys)?).into_iter().find(|(key, _)| *key == name)?.1;
    let mut parts = value.splitn(3, ':');
    let of = parts.next()?.trim();
    let of = if of == "%" { domain } else { of };
    Some(Signature { domain: of.into(), selector: parts.next()?.trim().into(), key: parts.next()?.trim().into() })
}

/// `*` stands for any text.
fn matches_pattern(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_ascii_lowercase(), text.to_ascii_lowercase());
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(first) else { return false };
    let parts: Vec<_> = rest.split('*').collect();
    let Some((last, middle)) = parts.split_last() else { return true };
    for part in middle {
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
    }
    left.ends_with(last)
}

/// `.example.org` stands for the hosts below it.
fn matches_parent(key: &str, domain: &str) -> bool {
    key.starts_with('.') && domain.to_ascii_lowercase().ends_with(&key.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{KEYS, matches_pattern, signature};

    fn signed(text: &str, from: &str) -> Option<(String, String)> {
        signature(text, &KEYS[0], from).map(|signature| (signature.domain, signature.selector))
    }

    fn pair(domain: &str, selector: &str) -> Option<(String, String)> {
        Some((domain.into(), selector.into()))
    }

    #[test]
    fn one_key_for_listed_domains() {
        let text = "# Debian\nSyslog yes\nDomain\t\ta.example, b.example\nselector 2024 # new\nKeyFile /etc/dkimkeys/2024.private\n";
        assert_eq!(signed(text, "r@B.example"), pair("b.example", "2024"));
        assert_eq!(signed(text, "r@sub.b.example"), None);
        assert_eq!(signed(&format!("{text}Mode v\n"), "r@b.example"), None);
        assert_eq!(signed("Syslog yes\n", "r@b.example"), None);
    }

    #[test]
    fn a_key_of_ed25519_beside_the_other() {
        let text = "Domain a.example\nSelectorEd25519 new\nKeyFileEd25519 /etc/dkimkeys/new.key\n";
        assert_eq!(signed(text, "r@a.example"), None);
        let found = signature(text, &KEYS[1], "r@a.example").unwrap();
        assert_eq!((&*found.selector, found.key.to_str()), ("new", Some("/etc/dkimkeys/new.key")));
    }

    #[test]
    fn keys_by_tables() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name).display().to_string();
        fs::write(file("signing"), "# who\n*@a.example one\n*@*.c.example other\n").unwrap();
        fs::write(file("plain"), "a.example one\n.c.example other\n").unwrap();
        fs::write(file("keys"), "one a.example:s1:/etc/k1\nother %:s2:/etc/k2\n").unwrap();
        for signing in [format!("refile:{}", file("signing")), file("plain")] {
            let text = format!("SigningTable {signing}\nKeyTable {}\n", file("keys"));
            assert_eq!(signed(&text, "r@a.example"), pair("a.example", "s1"), "{signing}");
            assert_eq!(signed(&text, "r@x.c.example"), pair("x.c.example", "s2"), "{signing}");
            assert_eq!(signed(&text, "r@other.example"), None, "{signing}");
        }
    }

    #[test]
    fn patterns() {
        assert!(matches_pattern("*", "a@b") && matches_pattern("*@b*.c", "a@bx.c") && matches_pattern("a@b", "A@B"));
        assert!(!matches_pattern("*@b", "a@bc") && !matches_pattern("a@b", "a@c") && !matches_pattern("x*", "a"));
    }
}
