//! Milters that sign mails with DKIM: what their configurations say about mails from an address.

mod opendkim;
mod rspamd;
mod signature;

pub(crate) use signature::{Signature, domain_of};

use std::path::Path;

use crate::bounded;

/// A milter with a configuration on this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Milter {
    pub(crate) name: &'static str,
    /// Its configuration.
    pub(crate) file: &'static str,
    /// How it signs mails from the address. None: it does not.
    pub(crate) signature: Option<Signature>,
}

/// A milter that is known here.
struct Known {
    name: &'static str,
    file: &'static str,
    /// What the address of the milter has in it, as the documentation of each sets it up.
    hints: [&'static str; 2],
    read: fn(&str, &str) -> Option<Signature>,
}

const KNOWN: [Known; 2] = [
    Known { name: "OpenDKIM", file: "/etc/opendkim.conf", hints: ["opendkim", ":8891"], read: opendkim::signature },
    Known {
        name: "Rspamd",
        file: "/etc/rspamd/local.d/dkim_signing.conf",
        hints: ["rspamd", ":11332"],
        read: rspamd::signature,
    },
];

/// The milter behind these addresses that signs mails from `from`, or the one that has to.
pub(crate) fn of_host(milters: &str, from: &str) -> Option<Milter> {
    among(milters, from, |file| bounded::read_text(Path::new(file)).ok())
}

fn among(milters: &str, from: &str, read: impl Fn(&str) -> Option<String>) -> Option<Milter> {
    let milter = |known: &Known| {
        Some(Milter { name: known.name, file: known.file, signature: (known.read)(&read(known.file)?, from) })
    };
    let hinted: Vec<&Known> =
        KNOWN.iter().filter(|known| known.hints.iter().any(|hint| milters.contains(hint))).collect();
    let asked = if hinted.is_empty() { KNOWN.iter().collect() } else { hinted };
    let mut found: Vec<_> = asked.into_iter().filter_map(milter).collect();
    found.sort_by_key(|milter| milter.signature.is_none());
    found.into_iter().next()
}

#[cfg(test)]
mod tests {
    use super::among;

    #[test]
    fn the_milter_that_the_address_names_is_asked() {
        let opendkim = "Domain a.example\nSelector s\nKeyFile /k\n";
        let both = |file: &str| Some(if file.contains("opendkim") { opendkim } else { "enabled = false;" }.to_owned());
        let name =
            |milters: &str| among(milters, "r@a.example", both).map(|milter| (milter.name, milter.signature.is_some()));
        assert_eq!(name("local:opendkim/opendkim.sock"), Some(("OpenDKIM", true)));
        assert_eq!(name("inet:localhost:11332"), Some(("Rspamd", false)));
        assert_eq!(name("inet:localhost:1"), Some(("OpenDKIM", true)));
        assert_eq!(among("inet:localhost:8891", "r@a.example", |_| None), None);
    }
}
