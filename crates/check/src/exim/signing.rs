//! How Exim signs report mails with DKIM: the options of the transports that send them.

use super::{
    Exim,
    configuration::Part,
    expansion::{self, Unexpanded},
    transports,
};
use crate::signature::{Mail, Signature, Signing};

const DOMAIN: &str = "dkim_domain";
const SELECTOR: &str = "dkim_selector";
const KEY: &str = "dkim_private_key";
const HEADERS: &str = "dkim_sign_headers";
/// The options without which Exim signs nothing.
const NEEDED: [&str; 3] = [DOMAIN, SELECTOR, KEY];
/// What Exim prints for an option that is hidden from this user.
const HIDDEN: &str = "<value not displayable>";
/// Values of the option for the key with which Exim does not sign.
const NO_KEY: [&str; 3] = ["", "0", "false"];

impl From<Unexpanded> for Signing {
    fn from(unexpanded: Unexpanded) -> Self {
        match unexpanded {
            Unexpanded::Unknown(why) => Self::Unknown(why),
            Unexpanded::Failed(why) => Self::Nothing(why),
        }
    }
}

impl Exim {
    /// How the transports that send mail to other sites sign such a mail, each with its name.
    pub(crate) fn signing(&self, mail: Mail<'_>) -> Vec<(&str, Signing)> {
        let used = transports::to_all(self);
        used.into_iter().map(|part| (&*part.name, self.by(part, mail).unwrap_or_else(|why| why))).collect()
    }

    fn by(&self, part: &Part, mail: Mail<'_>) -> Result<Signing, Signing> {
        if !self.has("_HAVE_DKIM") {
            return Err(Signing::Nothing("this Exim is built without DKIM".into()));
        }
        let missing: Vec<_> = NEEDED.into_iter().filter(|option| part.option(option).is_empty()).collect();
        if !missing.is_empty() {
            return Err(Signing::Nothing(format!("it has no {}", missing.join(", "))));
        }
        if let Some(option) = NEEDED.into_iter().find(|option| part.option(option) == HIDDEN) {
            return Err(Signing::Unknown(format!("this user may not see {option}")));
        }
        let expanded = |option: &str, text: &str| {
            expansion::expand(self.program, text, mail).map_err(|why| Signing::from(why.of(option)))
        };
        let domains = items(&expanded(DOMAIN, part.option(DOMAIN))?);
        let of_from = domains.iter().find(|domain| domain.eq_ignore_ascii_case(mail.domain()));
        let Some(domain) = of_from.or(domains.first()).map(|domain| domain.to_ascii_lowercase()) else {
            return Err(Signing::Nothing(format!("its {DOMAIN} is empty for them")));
        };
        // The text of the option keeps what Exim knows of its origin.
        let text = match part.option(DOMAIN) {
            text if domains.len() == 1 && text.contains('$') => format!("${{lc:{text}}}"),
            _ => domain.clone(),
        };
        let with = |option: &str, selector: &str| named(&named(part.option(option), DOMAIN, &text), SELECTOR, selector);
        let signed = items(&expanded(HEADERS, &with(HEADERS, ""))?);
        if !signed.is_empty()
            && !signed.iter().any(|name| name.trim_start_matches(['+', '=']).eq_ignore_ascii_case("from"))
        {
            return Err(Signing::Nothing(format!("its {HEADERS} leaves out From, and such a signature is not valid")));
        }
        let mut signatures = Vec::new();
        for selector in items(&expanded(SELECTOR, &with(SELECTOR, ""))?) {
            let file = with(KEY, &selector);
            let key = expanded(KEY, &file)?;
            if NO_KEY.contains(&&*key) {
                continue;
            }
            if !key.starts_with('/') {
                return Err(Signing::Unknown(format!("its {KEY} is no path of a file")));
            }
            if expansion::is_tainted(self.program, &file, mail) {
                return Err(Signing::Nothing(format!(
                    "its {KEY} is {key} for them, a name with a text of the mail, and Exim opens no file of such a tainted name: make the \
                     name from what ${{lookup{{...}}dsearch{{...}}}} finds"
                )));
            }
            signatures.push(Signature { domain: domain.clone(), selector, key: key.into() });
        }
        if signatures.is_empty() {
            return Err(Signing::Nothing(format!("its {SELECTOR} or {KEY} is empty or 0 for them")));
        }
        Ok(Signing::By(signatures))
    }
}

/// The items of a list of Exim: between colons, or between what follows a `<` at its beginning.
fn items(list: &str) -> Vec<String> {
    let list = list.trim_start();
    let chosen = list.strip_prefix('<').and_then(|rest| Some((rest.chars().next()?, rest)));
    let (separator, rest) = match chosen {
        Some((separator, rest)) if separator.is_ascii_punctuation() => (separator, &rest[1..]),
        _ => (':', list),
    };
    rest.split(separator).map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

/// A text in which a variable, in either of its forms, has this value.
fn named(text: &str, variable: &str, value: &str) -> String {
    let text = text.replace(&format!("${{{variable}}}"), value);
    let plain = format!("${variable}");
    let mut parts = text.split(&plain);
    let mut named = parts.next().unwrap_or("").to_owned();
    for part in parts {
        let is_longer = part.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_');
        named.push_str(if is_longer { &plain } else { value });
        named.push_str(part);
    }
    named
}

#[cfg(test)]
mod tests {
    use super::{items, named};
    use crate::{
        exim::configuration::tests::{MACROS, exim},
        signature::{Mail, Signature, Signing},
    };

    const DEFAULTS: &str = "dkim_domain = \ndkim_hash = sha256\ndkim_identity = \ndkim_private_key = \ndkim_selector = \n\
                            dkim_sign_headers = \n";
    const MAIL: Mail<'_> = Mail { from: "reports@A.example", envelope: "bounces@a.example" };

    fn signing(settings: &str) -> Signing {
        let mut found = exim(&format!("{MACROS}_HAVE_DKIM=y\n"), (DEFAULTS, settings), ("", ""));
        found.program = "no-such-exim";
        let of_all = found.signing(MAIL);
        assert_eq!(of_all[0].0, "remote_smtp");
        of_all[0].1.clone()
    }

    fn signature(domain: &str, selector: &str, key: &str) -> Signature {
        Signature { domain: domain.into(), selector: selector.into(), key: key.into() }
    }

    #[test]
    fn plain_options_are_read_without_exim() {
        let text = "dkim_domain = other.example : A.example\ndkim_selector = one : two\ndkim_private_key = /k/${dkim_domain}.$dkim_selector\n";
        let both =
            vec![signature("a.example", "one", "/k/a.example.one"), signature("a.example", "two", "/k/a.example.two")];
        assert_eq!(signing(text), Signing::By(both));
        let other = "dkim_domain = other.example\ndkim_selector = s\ndkim_private_key = /k\n";
        assert_eq!(signing(other), Signing::By(vec![signature("other.example", "s", "/k")]));
    }

    #[test]
    fn what_signs_nothing_says_why() {
        let why = |text: &str| match signing(text) {
            Signing::Nothing(why) => why,
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(why(""), "it has no dkim_domain, dkim_selector, dkim_private_key");
        assert_eq!(why("dkim_domain = a.example\ndkim_private_key = /k\n"), "it has no dkim_selector");
        assert!(
            why("dkim_domain = a.example\ndkim_selector = s\ndkim_private_key = 0\n")
                .contains("dkim_private_key is empty or 0")
        );
        let without =
            "dkim_domain = a.example\ndkim_selector = s\ndkim_private_key = /k\ndkim_sign_headers = Subject:+Date\n";
        assert!(why(without).contains("leaves out From"));
        assert!(matches!(signing(&without.replace("+Date", "=FROM")), Signing::By(_)));
    }

    #[test]
    fn what_only_a_delivery_knows_is_not_looked_up() {
        let unknown = |domain: &str, key: &str| {
            let text = format!("dkim_domain = {domain}\ndkim_selector = s\ndkim_private_key = {key}\n");
            matches!(signing(&text), Signing::Unknown(_))
        };
        assert!(unknown("${run{/bin/sh}}", "/k"));
        assert!(unknown("a.example", "<value not displayable>"));
        assert!(unknown("a.example", "MIIBVgIBADANBgkq"));
        // There is no such program.
        assert!(unknown("$sender_address_domain", "/k"));
    }

    #[test]
    fn lists_and_variables() {
        assert_eq!(items(" a.example : b.example:"), ["a.example", "b.example"]);
        assert_eq!(items("<; a ; b"), ["a", "b"]);
        assert_eq!(named("$dkim_domain/${dkim_domain}.$dkim_domains", "dkim_domain", "x"), "x/x.$dkim_domains");
    }
}
