//! The configuration of Rspamd's module dkim_signing.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use super::signature::{Signature, domain_of};

/// What the module takes without a setting.
const SELECTOR: &str = "dkim";
const KEY: &str = "/var/lib/rspamd/dkim/$domain.$selector.key";
/// The section with a section for each domain.
const DOMAIN: &str = "domain";

/// How mails from an address are signed: with a section for its domain, or with a key of the usual name.
pub(super) fn signature(text: &str, from: &str) -> Option<Signature> {
    signature_with(text, from, |key| key.exists())
}

fn signature_with(text: &str, from: &str, exists: impl Fn(&Path) -> bool) -> Option<Signature> {
    let settings = settings(text);
    let is_off = |name: &str| settings.get(name).is_some_and(|value| ["false", "no", "off"].contains(&&**value));
    if is_off("enabled") {
        return None;
    }
    let domain = domain_of(from).to_ascii_lowercase();
    let domain = if is_off("use_esld") { domain } else { registered(&domain) };
    let of_domain = |name: &str| settings.get(&format!("{DOMAIN}/{domain}/{name}"));
    let value = |name: &str| of_domain(name).or_else(|| settings.get(name));
    let selector = value("selector").map_or(SELECTOR, String::as_str);
    let key = value("path").map_or(KEY, String::as_str);
    let key: PathBuf = key.replace("$domain", &domain).replace("$selector", selector).into();
    let is_listed = of_domain("selector").is_some() || of_domain("path").is_some();
    (is_listed || exists(&key)).then(|| Signature { selector: selector.to_owned(), key, domain })
}

/// What the module takes for the domain below which names are registered: the last two parts, in most cases.
fn registered(domain: &str) -> String {
    let parts: Vec<_> = domain.split('.').collect();
    parts[parts.len().saturating_sub(2)..].join(".")
}

/// The settings, each with the names of its sections before it: `domain/a.example/selector`.
fn settings(text: &str) -> HashMap<String, String> {
    let mut sections: Vec<String> = Vec::new();
    let mut settings = HashMap::new();
    let text: String = text.lines().map(|line| format!("{}\n", line.split('#').next().unwrap_or(""))).collect();
    let mut item = String::new();
    for character in text.chars() {
        match character {
            '{' => sections.push(plain(&std::mem::take(&mut item))),
            '}' | ';' | '\n' => {
                if let Some((name, value)) =
                    item.split_once('=').or_else(|| item.trim().split_once(char::is_whitespace))
                {
                    let path = [&sections[..], &[plain(name)]].concat().join("/");
                    settings.insert(path, plain(value));
                    item.clear();
                }
                if character == '}' {
                    sections.pop();
                    item.clear();
                }
            }
            _ => item.push(character),
        }
    }
    settings
}

fn plain(text: &str) -> String {
    text.trim().trim_matches('"').to_owned()
}

#[cfg(test)]
mod tests {
    use super::signature_with;

    #[test]
    fn sections_and_keys_of_the_usual_name() {
        let signed = |text: &str, from: &str, key: &str| {
            signature_with(text, from, |path| path.ends_with(key)).map(|found| (found.domain, found.selector))
        };
        let pair = |domain: &str, selector: &str| Some((domain.to_owned(), selector.to_owned()));
        let sections = "# ours\nselector = \"all\";\ndomain {\n  a.example {\n    selector = \"one\";\n    path = \"/k\";\n  }\n  b.example { path = \"/l\"; }\n}\n";
        assert_eq!(signed(sections, "r@a.example", "none"), pair("a.example", "one"));
        assert_eq!(signed(sections, "r@B.example", "none"), pair("b.example", "all"));
        assert_eq!(signed(sections, "r@c.example", "none"), None);
        assert_eq!(signed("", "r@c.example", "c.example.dkim.key"), pair("c.example", "dkim"));
        assert_eq!(signed("", "r@mail.c.example", "c.example.dkim.key"), pair("c.example", "dkim"));
        let whole = "use_esld = false;\n";
        assert_eq!(signed(whole, "r@mail.c.example", "mail.c.example.dkim.key"), pair("mail.c.example", "dkim"));
        assert_eq!(signed("enabled = false;", "r@c.example", "c.example.dkim.key"), None);
    }
}
