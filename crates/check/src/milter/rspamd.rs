//! Rspamd's module dkim_signing: its configuration, which `rspamadm configdump` prints with all that administrators add to it, and how the
//! module chooses a signature by it.

mod public_suffix;

use std::{io, path::Path, process::Command, time::Duration};

use nix::unistd::geteuid;
use serde_json::Value;

use crate::{
    bounded,
    signature::{Mail, Signature, Signing, domain_of},
};

const PROGRAM: &str = "rspamadm";
const MODULE: &str = "dkim_signing";
/// How long it may take: it looks up the names of servers in the configuration.
const LONGEST: Duration = Duration::from_secs(15);
/// What the module takes without a setting.
const SELECTOR: &str = "dkim";
const KEY: &str = "/var/lib/rspamd/dkim/$domain.$selector.key";
/// Settings with which the signature is chosen by something that is not looked at here.
const ELSEWHERE: [&str; 8] = [
    "use_http_headers",
    "sign_condition",
    "signing_table",
    "use_domain_custom",
    "use_vault",
    "use_redis",
    "selector_map",
    "path_map",
];

/// How a mail from this host is signed.
pub(super) fn signing(_: &'static str, mail: Mail<'_>) -> Option<Signing> {
    let mut command = Command::new(PROGRAM);
    command.args(["configdump", "--compact", MODULE]);
    let printed = match bounded::run_within(command, LONGEST) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => return Some(Signing::Unknown(format!("{PROGRAM}: {error}"))),
        Ok(ran) if !ran.status.success() => {
            let why = format!("{PROGRAM} configdump: {}", ran.stderr.lines().last().unwrap_or("no message"));
            // Another user may not see the configuration.
            return Some(if geteuid().is_root() { Signing::Nothing(why) } else { Signing::Unknown(why) });
        }
        Ok(ran) => ran.stdout,
    };
    Some(match serde_json::from_str(&printed) {
        Ok(settings) => Settings(settings).signing(mail, |key| key.exists(), public_suffix::registered),
        Err(_) => Signing::Unknown(format!("{PROGRAM} configdump prints no JSON")),
    })
}

/// The settings of the module.
struct Settings(Value);

impl Settings {
    /// `exists` says whether a key is there, and `registered` gives the part of a domain that its owner registered.
    fn signing(&self, mail: Mail<'_>, exists: impl Fn(&Path) -> bool, registered: impl Fn(&str) -> String) -> Signing {
        if !self.is_on("enabled", true) {
            return Signing::Nothing(format!("the module {MODULE} is off: enabled = false"));
        }
        let elsewhere =
            ELSEWHERE.into_iter().find(|name| self.0.get(name).is_some_and(|value| *value != Value::Bool(false)));
        if let Some(name) = elsewhere {
            return Signing::Unknown(format!("it has {name}"));
        }
        if !self.is_on("sign_local", true) {
            return Signing::Nothing("it does not sign mails from this host: sign_local = false".into());
        }
        let whole = |domain: &str| domain.to_ascii_lowercase();
        let of = |domain: &str| if self.is_on("use_esld", true) { registered(&whole(domain)) } else { whole(domain) };
        let (header, envelope) = (of(mail.domain()), of(domain_of(mail.envelope)));
        let mismatch = ["allow_hdrfrom_mismatch", "allow_hdrfrom_mismatch_local"];
        if header != envelope && !mismatch.iter().any(|name| self.is_on(name, false)) {
            return Signing::Nothing(format!(
                "their envelope sender is of {envelope}, and allow_hdrfrom_mismatch is false"
            ));
        }
        let domain = match self.text("use_domain_sign_local").or(self.text("use_domain")).unwrap_or("header") {
            "header" => header,
            "envelope" => envelope,
            name @ ("auth" | "recipient") => return Signing::Unknown(format!("it takes the domain of \"{name}\"")),
            fixed => of(fixed),
        };
        self.of_domain(domain, exists)
    }

    fn of_domain(&self, domain: String, exists: impl Fn(&Path) -> bool) -> Signing {
        let signature = |of_one: &Value| {
            let text = |name: &str| of_one.get(name).and_then(Value::as_str).map(str::to_owned);
            let selector = text("selector").unwrap_or_else(|| self.text("selector").unwrap_or(SELECTOR).to_owned());
            let key = text("path").unwrap_or_else(|| self.text("path").unwrap_or(KEY).to_owned());
            let key = filled(&key, &[("domain", &domain), ("selector", &selector)]).into();
            Signature { domain: domain.clone(), selector, key }
        };
        let section = self.0.get("domain").and_then(|domains| domains.get(&domain));
        let listed: Vec<_> = section.into_iter().flat_map(sections).map(signature).collect();
        if !listed.is_empty() {
            return Signing::By(listed);
        }
        if !self.is_on("try_fallback", true) {
            return Signing::Nothing(format!("its domain section has no {domain}, and try_fallback = false"));
        }
        let usual = signature(&Value::Null);
        match exists(&usual.key) {
            true => Signing::By(vec![usual]),
            false => Signing::Nothing(format!(
                "its domain section has no {domain}, and the key for all others, {}, does not exist",
                usual.key.display()
            )),
        }
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    fn is_on(&self, name: &str, usual: bool) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or(usual)
    }
}

/// The parts of a domain's section that have a selector or a path: itself, and those in its list.
fn sections(section: &Value) -> Vec<&Value> {
    let is_one = |value: &&Value| ["selector", "path"].iter().any(|name| value.get(name).is_some());
    let list = match section.get("selectors") {
        Some(Value::Array(items)) => items.iter().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    };
    [section].into_iter().chain(list).filter(is_one).collect()
}

/// A text with the values of its variables, `$name` or `${name}`.
fn filled(text: &str, variables: &[(&str, &str)]) -> String {
    variables.iter().fold(text.to_owned(), |text, (name, value)| {
        text.replace(&format!("${{{name}}}"), value).replace(&format!("${name}"), value)
    })
}

#[cfg(test)]
mod tests {
    use super::Settings;
    use crate::signature::{Mail, Signing};

    /// How a mail is signed where only the key at a path that ends so exists.
    fn signed(settings: &str, from: &str, key: &str) -> Signing {
        let settings = Settings(serde_json::from_str(settings).unwrap());
        let registered = |domain: &str| domain.trim_start_matches("mail.").to_owned();
        settings.signing(Mail { from, envelope: "b@a.example" }, |path| path.ends_with(key), registered)
    }

    fn pairs(signing: &Signing) -> Vec<(&str, &str, &str)> {
        let Signing::By(signatures) = signing else { panic!("{signing:?}") };
        signatures.iter().map(|one| (&*one.domain, &*one.selector, one.key.to_str().unwrap())).collect()
    }

    #[test]
    fn sections_of_domains_and_keys_of_the_usual_name() {
        let sections = r#"{"selector": "all", "path": "/p/${domain}/$selector", "domain": {"a.example": {"selector": "one", "path": "/k"}}}"#;
        assert_eq!(pairs(&signed(sections, "r@A.example", "none")), [("a.example", "one", "/k")]);
        let several =
            r#"{"domain": {"a.example": {"selectors": [{"selector": "one", "path": "/k"}, {"selector": "two"}]}}}"#;
        let usual = "/var/lib/rspamd/dkim/a.example.two.key";
        assert_eq!(
            pairs(&signed(several, "r@a.example", "none")),
            [("a.example", "one", "/k"), ("a.example", "two", usual)]
        );
        let usual = [("a.example", "dkim", "/var/lib/rspamd/dkim/a.example.dkim.key")];
        assert_eq!(pairs(&signed("{}", "r@a.example", "a.example.dkim.key")), usual);
        assert_eq!(pairs(&signed("{}", "r@mail.a.example", "a.example.dkim.key")), usual);
        let fixed = r#"{"use_domain": "c.example", "path": "/k"}"#;
        assert_eq!(pairs(&signed(fixed, "r@a.example", "k")), [("c.example", "dkim", "/k")]);
    }

    #[test]
    fn mails_that_are_not_signed() {
        for (settings, from, why) in [
            (r#"{"enabled": false}"#, "r@a.example", "enabled = false"),
            (r#"{"sign_local": false}"#, "r@a.example", "sign_local = false"),
            (r#"{"try_fallback": false}"#, "r@a.example", "try_fallback = false"),
            ("{}", "r@a.example", "a.example.dkim.key, does not exist"),
            ("{}", "r@c.example", "allow_hdrfrom_mismatch is false"),
            (r#"{"use_esld": false}"#, "r@mail.a.example", "allow_hdrfrom_mismatch is false"),
        ] {
            let signing = signed(settings, from, "none");
            assert!(matches!(&signing, Signing::Nothing(found) if found.contains(why)), "{settings}: {signing:?}");
        }
        let allowed = r#"{"allow_hdrfrom_mismatch_local": true}"#;
        assert!(matches!(signed(allowed, "r@c.example", "c.example.dkim.key"), Signing::By(_)));
    }

    #[test]
    fn what_is_chosen_elsewhere_is_not_looked_up() {
        for settings in [r#"{"use_redis": true}"#, r#"{"path_map": "/map"}"#, r#"{"use_domain": "recipient"}"#] {
            assert!(matches!(signed(settings, "r@a.example", "none"), Signing::Unknown(_)), "{settings}");
        }
        assert!(matches!(signed(r#"{"use_redis": false}"#, "r@a.example", "none"), Signing::Nothing(_)));
    }
}
