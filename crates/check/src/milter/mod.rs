//! Milters that sign mails with DKIM: what their configurations say about mails from an address.

mod opendkim;
mod rspamd;

use crate::{
    access::Visitor,
    signature::{Mail, Signing},
};

/// A milter with a configuration on this host.
#[derive(Debug)]
pub(crate) struct Milter {
    pub(crate) name: &'static str,
    /// Its configuration.
    pub(crate) file: &'static str,
    pub(crate) signing: Signing,
    /// As whom it reads the key, if that is known.
    pub(crate) user: Option<Visitor>,
}

/// A milter that is known here.
struct Known {
    name: &'static str,
    file: &'static str,
    /// What the address of the milter has in it, as the documentation of each sets it up.
    hints: [&'static str; 2],
    /// The names of the user who reads the key. None: root reads it when it starts.
    users: &'static [&'static str],
    /// How it signs a mail. None: it is not on this host.
    signing: fn(&'static str, Mail<'_>) -> Option<Signing>,
}

const KNOWN: [Known; 3] = [
    Known {
        name: "OpenDKIM",
        file: "/etc/opendkim.conf",
        hints: ["opendkim", ":8891"],
        users: &[],
        signing: opendkim::signing,
    },
    Known {
        name: "Rspamd",
        file: "/etc/rspamd/local.d/dkim_signing.conf",
        hints: ["rspamd", ":11332"],
        users: &["_rspamd", "rspamd"],
        signing: rspamd::signing,
    },
    Known {
        name: "dkimpy-milter",
        file: "/etc/dkimpy-milter/dkimpy-milter.conf",
        hints: ["dkimpy", ":8892"],
        users: &[],
        // It reads the configuration of OpenDKIM.
        signing: opendkim::signing,
    },
];

/// The milter behind these addresses that signs a mail, or the one that has to. None if it is not known which one it is.
pub(crate) fn of_host(milters: &str, mail: Mail<'_>) -> Option<Milter> {
    among(milters, mail, |known| (known.signing)(known.file, mail))
}

fn among(milters: &str, mail: Mail<'_>, ask: impl Fn(&Known) -> Option<Signing>) -> Option<Milter> {
    let signs = |milter: &Milter| match &milter.signing {
        Signing::By(signatures) => signatures.iter().any(|one| one.domain.eq_ignore_ascii_case(mail.domain())),
        Signing::Nothing(_) | Signing::Unknown(_) => false,
    };
    let is_hinted = |known: &Known| known.hints.iter().any(|hint| milters.contains(hint));
    let any_is_hinted = KNOWN.iter().any(is_hinted);
    let asked = KNOWN.iter().filter(|known| !any_is_hinted || is_hinted(known));
    let milter = |known: &Known| {
        let user = known.users.iter().find_map(|name| Visitor::named(name));
        Some(Milter { name: known.name, file: known.file, signing: ask(known)?, user })
    };
    let mut found: Vec<_> = asked.filter_map(milter).collect();
    found.sort_by_key(|milter| !signs(milter));
    // One that is installed and does not sign may be another than the one at the address.
    found.into_iter().next().filter(|milter| any_is_hinted || signs(milter))
}

#[cfg(test)]
mod tests {
    use super::{Known, Milter, among};
    use crate::signature::{Mail, Signature, Signing};

    const MAIL: Mail<'_> = Mail { from: "r@a.example", envelope: "b@a.example" };

    /// The name of the milter, where OpenDKIM signs with this domain and the others do not.
    fn named(milters: &str, domain: &str) -> Option<&'static str> {
        let ask = |known: &Known| {
            let signature = Signature { domain: domain.into(), selector: "s".into(), key: "/k".into() };
            Some(match known.name {
                "OpenDKIM" => Signing::By(vec![signature]),
                _ => Signing::Nothing("off".into()),
            })
        };
        among(milters, MAIL, ask).map(|milter: Milter| milter.name)
    }

    #[test]
    fn the_milter_that_the_address_names_is_asked() {
        assert_eq!(named("local:opendkim/opendkim.sock", "A.example"), Some("OpenDKIM"));
        assert_eq!(named("inet:localhost:11332", "a.example"), Some("Rspamd"));
        assert_eq!(named("inet:localhost:11332, inet:localhost:8891", "a.example"), Some("OpenDKIM"));
        assert!(among("inet:localhost:8891", MAIL, |_| None).is_none());
    }

    #[test]
    fn a_milter_at_another_address_is_named_if_it_signs() {
        assert_eq!(named("inet:localhost:1", "a.example"), Some("OpenDKIM"));
        assert_eq!(named("inet:localhost:1", "other.example"), None);
    }
}
