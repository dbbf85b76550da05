//! The part of a domain that its owner registered, by the public suffix list that Rspamd reads.

use std::path::Path;

use crate::bounded;

/// The list, where Debian has it and where Rspamd's own packages have it.
const LISTS: [&str; 2] =
    ["/usr/share/publicsuffix/effective_tld_names.dat", "/usr/share/rspamd/effective_tld_names.dat"];

/// The public suffix of a domain with one more part. Without a list, the last two parts.
pub(super) fn registered(domain: &str) -> String {
    let list = LISTS.iter().find_map(|list| bounded::read_text(Path::new(list)).ok());
    registered_by(&list.unwrap_or_default(), domain)
}

fn registered_by(list: &str, domain: &str) -> String {
    let parts: Vec<_> = domain.split('.').collect();
    let suffix = (0..parts.len()).find_map(|at| suffix_length(list, &parts[at..])).unwrap_or(1);
    parts[parts.len().saturating_sub(suffix + 1)..].join(".")
}

/// How many parts the suffix has by the rule for these parts, if there is one: itself, `!` for an exception, `*` for any first part.
fn suffix_length(list: &str, parts: &[&str]) -> Option<usize> {
    let name = parts.join(".");
    let any = parts.get(1..).filter(|rest| !rest.is_empty()).map(|rest| format!("*.{}", rest.join(".")));
    let mut found = None;
    for rule in list.lines().map(str::trim) {
        match rule.strip_prefix('!') {
            Some(exception) if exception == name => return Some(parts.len() - 1),
            None if rule == name || any.as_deref() == Some(rule) => found = Some(parts.len()),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::registered_by;

    #[test]
    fn the_longest_rule_decides() {
        let list = "// a note\nexample\nuk\nco.uk\n*.ck\n!www.ck\n";
        for (domain, registered) in [
            ("mail.a.example", "a.example"),
            ("a.example", "a.example"),
            ("mail.a.co.uk", "a.co.uk"),
            ("a.co.uk", "a.co.uk"),
            ("mail.a.b.ck", "a.b.ck"),
            ("mail.www.ck", "www.ck"),
            ("mail.a.unknown", "a.unknown"),
            ("localhost", "localhost"),
        ] {
            assert_eq!(registered_by(list, domain), registered, "{domain}");
        }
    }
}
