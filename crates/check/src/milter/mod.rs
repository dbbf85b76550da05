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

const KNOWN: [Known; 2] = [
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
];

/// The milter behind these addresses that signs a mail, or the one that has to.
pub(crate) fn of_host(milters: &str, mail: Mail<'_>) -> Option<Milter> {
    among(milters, |known| (known.signing)(known.file, mail))
}

fn among(milters: &str, ask: impl Fn(&Known) -> Option<Signing>) -> Option<Milter> {
    let milter = |known: &Known| {
        let user = known.users.iter().find_map(|name| Visitor::named(name));
        Some(Milter { name: known.name, file: known.file, signing: ask(known)?, user })
    };
    let hinted: Vec<&Known> =
        KNOWN.iter().filter(|known| known.hints.iter().any(|hint| milters.contains(hint))).collect();
    let asked = if hinted.is_empty() { KNOWN.iter().collect() } else { hinted };
    let mut found: Vec<_> = asked.into_iter().filter_map(milter).collect();
    found.sort_by_key(|milter| !matches!(milter.signing, Signing::By(_)));
    found.into_iter().next()
}

#[cfg(test)]
mod tests {
    use super::among;
    use crate::signature::Signing;

    #[test]
    fn the_milter_that_the_address_names_is_asked() {
        let by = |name: &str| match name {
            "OpenDKIM" => Signing::By(Vec::new()),
            _ => Signing::Nothing("off".into()),
        };
        let name = |milters: &str| among(milters, |known| Some(by(known.name))).map(|milter| milter.name);
        assert_eq!(name("local:opendkim/opendkim.sock"), Some("OpenDKIM"));
        assert_eq!(name("inet:localhost:11332"), Some("Rspamd"));
        assert_eq!(name("inet:localhost:1"), Some("OpenDKIM"));
        assert!(among("inet:localhost:8891", |_| None).is_none());
    }
}
