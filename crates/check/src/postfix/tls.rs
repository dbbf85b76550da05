//! Whether TLS is on: without it there is nothing to report.

use super::{
    Postfix,
    configuration::{LEVEL, OLD_ENFORCE, OLD_USE, POLICY_MAPS},
    enabled::is_on,
    service::{Service, names},
};
use crate::{finding::Finding, remedy::Remedy};

const CHECK: &str = "tls";
const KNOWN: [&str; 8] = ["none", "may", "encrypt", "dane", "dane-only", "fingerprint", "verify", "secure"];

pub(super) fn check(postfix: &Postfix) -> Vec<Finding> {
    let clients = postfix.clients();
    let (on, off): (Vec<_>, Vec<_>) = clients.into_iter().partition(|client| is_used(level(postfix, client)));
    let (by_option, by_main): (Vec<_>, Vec<_>) = off.into_iter().partition(|client| client.options.contains_key(LEVEL));
    let mut findings = Vec::new();
    if !on.is_empty() {
        let mut levels: Vec<_> = on.iter().map(|client| level(postfix, client)).collect();
        levels.dedup();
        findings.push(Finding::ok(CHECK, format!("TLS is used ({LEVEL} = {}) by {}", levels.join(", "), names(&on))));
    }
    if !by_main.is_empty() {
        let value = postfix.setting(LEVEL);
        let fact = if value.is_empty() { format!("{LEVEL} is empty") } else { format!("{LEVEL} = {value}") };
        let remedy = Remedy::run(postfix.command_to_set(LEVEL, "may"));
        findings.push(without(postfix, &by_main, &fact, remedy));
    }
    for client in by_option {
        let fact = format!("master.cf has -o {LEVEL}={} for it", postfix.of(client, LEVEL));
        findings.push(without(postfix, &[client], &fact, switch_on(postfix, client)));
    }
    findings
}

/// The level in force, also of the parameters that [`LEVEL`] has replaced.
pub(super) fn level<'a>(postfix: &'a Postfix, client: &'a Service) -> &'a str {
    match postfix.of(client, LEVEL) {
        "" if is_on(postfix.of(client, OLD_ENFORCE)) => "encrypt",
        "" if is_on(postfix.of(client, OLD_USE)) => "may",
        level => level,
    }
}

/// The command that makes a service use TLS.
pub(super) fn switch_on(postfix: &Postfix, client: &Service) -> Remedy {
    Remedy::run(postfix.command_to_leave_to_main(client, LEVEL, is_used(postfix.setting(LEVEL)), "may"))
}

fn is_used(level: &str) -> bool {
    level != "none" && KNOWN.contains(&level)
}

/// The finding for services that use no TLS, unless a policy map demands it for a domain.
fn without(postfix: &Postfix, clients: &[&Service], fact: &str, remedy: Remedy) -> Finding {
    let by_map = clients.iter().all(|client| !postfix.of(client, POLICY_MAPS).is_empty());
    let who = names(clients);
    if by_map {
        let message =
            format!("{fact}: {who} use TLS only with the domains that {POLICY_MAPS} lists, and report only these");
        return Finding::warn(CHECK, message, remedy);
    }
    let message = format!("{fact}: {who} use no TLS, so there is nothing to report");
    let main = clients.iter().any(|client| postfix.is_main(client));
    if main { Finding::fail(CHECK, message, remedy) } else { Finding::warn(CHECK, message, remedy) }
}

#[cfg(test)]
mod tests {
    use super::{LEVEL, check};
    use crate::{
        finding::Status,
        postfix::configuration::tests::{postfix, with_option},
    };

    #[test]
    fn tls_that_is_off_is_a_failure() {
        assert_eq!(check(&postfix(&[]))[0].status, Status::Ok);
        for value in ["", "none", "mya"] {
            let found = check(&postfix(&[(LEVEL, value)]));
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].status, Status::Fail, "{value}");
            assert_eq!(found[0].command(), Some("postconf -e smtp_tls_security_level=may && postfix reload"));
        }
    }

    #[test]
    fn the_replaced_parameters_count() {
        assert_eq!(check(&postfix(&[(LEVEL, ""), ("smtp_use_tls", "yes")]))[0].status, Status::Ok);
        assert_eq!(check(&postfix(&[(LEVEL, "none"), ("smtp_use_tls", "yes")]))[0].status, Status::Fail);
    }

    #[test]
    fn a_policy_map_leaves_tls_for_some_domains() {
        let found = check(&postfix(&[(LEVEL, ""), ("smtp_tls_policy_maps", "hash:/etc/postfix/tls_policy")]));
        assert_eq!(found[0].status, Status::Warn);
    }

    #[test]
    fn an_option_of_one_service_is_named() {
        let found = check(&with_option(postfix(&[]), "relay", LEVEL, "none"));
        let [on, off] = &found[..] else { panic!("{found:?}") };
        assert_eq!((on.status, off.status), (Status::Ok, Status::Warn));
        assert_eq!(off.command(), Some("postconf -PX relay/unix/smtp_tls_security_level && postfix reload"));
        assert_eq!(check(&with_option(postfix(&[]), "smtp", LEVEL, "none"))[1].status, Status::Fail);
    }
}
