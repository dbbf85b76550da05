//! Whether the files are there without which Postfix switches TLS off.

use std::path::Path;

use super::{
    Postfix,
    configuration::{CA_FILE, CERTIFICATE, EC_CERTIFICATE, EC_KEY, KEY},
    policy_map::authorities,
    service::Service,
    tls::{leveled, sends, uses_tls},
};
use crate::{finding::Finding, remedy::Remedy, table};

/// The parameters of a certificate with which Postfix shows who it is, and of its key.
const OWN: [[&str; 2]; 2] = [[CERTIFICATE, KEY], [EC_CERTIFICATE, EC_KEY]];
const WITHOUT: &str = "to send without a certificate of this host, which other servers do not ask for";

pub(super) fn check(postfix: &Postfix) -> Vec<Finding> {
    let authority = missing(postfix, CA_FILE, || Remedy::run(postfix.command_to_set(CA_FILE, authorities())));
    let own = OWN.iter().filter_map(|[certificate, key]| {
        let without = || {
            let set = format!("postconf {}-e {certificate}= {key}=", postfix.option());
            Remedy::after(WITHOUT, format!("{set} && {}", postfix.reload()))
        };
        [certificate, key].into_iter().find_map(|name| missing(postfix, name, without))
    });
    authority.into_iter().chain(own).collect()
}

/// The finding for a file that does not exist. `in_main` is the remedy if main.cf names it.
fn missing(postfix: &Postfix, name: &str, in_main: impl Fn() -> Remedy) -> Option<Finding> {
    let is_without = |client: &&Service| uses_tls(postfix, client) && is_missing(postfix.of(client, name));
    let without: Vec<_> = postfix.clients().into_iter().filter(is_without).collect();
    let first = *without.first()?;
    let remedy = match first.options.contains_key(name) {
        true => Remedy::run(postfix.command_to_remove(first, name)),
        false => in_main(),
    };
    let who = sends(&without);
    let message =
        format!("{name} = {}: no such file, so {who} without TLS: there is nothing to report", postfix.of(first, name));
    Some(leveled(postfix, &without, message, remedy))
}

/// A value without a slash, such as `none`, names no file.
fn is_missing(file: &str) -> bool {
    file.starts_with('/') && table::is_missing(Path::new(file))
}

#[cfg(test)]
mod tests {
    use super::{CA_FILE, CERTIFICATE, KEY, check};
    use crate::{
        finding::Status,
        postfix::configuration::{
            LEVEL,
            tests::{postfix, with_option},
        },
    };

    #[test]
    fn a_missing_file_switches_tls_off() {
        assert_eq!(check(&postfix(&[])), []);
        assert_eq!(check(&postfix(&[(CA_FILE, "/proc/self/stat"), (CERTIFICATE, "none"), (KEY, "")])), []);
        let found = check(&postfix(&[(CERTIFICATE, "/no/such.pem"), (KEY, "/no/such.pem")]));
        let [finding] = &found[..] else { panic!("{found:?}") };
        assert_eq!(finding.status, Status::Fail);
        assert!(
            finding.message.starts_with("smtp_tls_cert_file = /no/such.pem: no such file, so smtp, relay, "),
            "{finding:?}"
        );
        let command = "postconf -e smtp_tls_cert_file= smtp_tls_key_file= && postfix reload";
        assert_eq!(finding.command(), Some(command));
        let found = check(&postfix(&[(CA_FILE, "/no/such.pem")]));
        assert!(found[0].command().unwrap().starts_with("postconf -e smtp_tls_CAfile=/"), "{found:?}");
        assert_eq!(check(&postfix(&[(CA_FILE, "/no/such.pem"), (LEVEL, "none")])), []);
    }

    #[test]
    fn a_missing_file_of_one_service_is_named() {
        let found = check(&with_option(postfix(&[]), "relay", CERTIFICATE, "/no/such.pem"));
        let command = "postconf -PX relay/unix/smtp_tls_cert_file && postfix reload";
        assert_eq!((found[0].status, found[0].command()), (Status::Warn, Some(command)));
        assert!(found[0].message.contains("so relay sends without TLS"), "{found:?}");
    }
}
