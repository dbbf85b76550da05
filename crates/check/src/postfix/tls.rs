//! Whether TLS is on: without it there is nothing to report.

use super::{
    Postfix,
    configuration::{DISCARDED, LEVEL, OLD_ENFORCE, OLD_USE, POLICY_MAPS},
    enabled::is_on,
    service::{Service, names},
};
use crate::{finding::Finding, remedy::Remedy, table};

pub(super) const CHECK: &str = "tls";
const KNOWN: [&str; 8] = ["none", "may", "encrypt", "dane", "dane-only", "fingerprint", "verify", "secure"];

pub(super) fn check(postfix: &Postfix) -> Vec<Finding> {
    let clients = postfix.clients();
    let (on, off): (Vec<_>, Vec<_>) = clients.into_iter().partition(|client| is_used(level(postfix, client)));
    let (by_option, by_main): (Vec<_>, Vec<_>) = off.into_iter().partition(|client| client.options.contains_key(LEVEL));
    let (discarding, on): (Vec<_>, Vec<_>) = on.into_iter().partition(|client| discards_starttls(postfix, client));
    let mut findings = Vec::new();
    if !on.is_empty() {
        let mut levels: Vec<_> = on.iter().map(|client| level(postfix, client)).collect();
        levels.dedup();
        findings.push(Finding::ok(CHECK, format!("TLS is used ({LEVEL} = {}) by {}", levels.join(", "), names(&on))));
    }
    if !by_main.is_empty() {
        let value = postfix.setting(LEVEL);
        let remedy = Remedy::run(postfix.command_to_set(LEVEL, "may"));
        findings.push(match [OLD_ENFORCE, OLD_USE].into_iter().find(|old| is_on(postfix.setting(old))) {
            Some(old) if value.is_empty() => by_old_parameter(postfix, &by_main, old, remedy),
            _ if value.is_empty() => without(postfix, &by_main, &format!("{LEVEL} is empty"), remedy),
            _ => without(postfix, &by_main, &format!("{LEVEL} = {value}"), remedy),
        });
    }
    for client in by_option {
        let fact = format!("master.cf has -o {LEVEL}={}", postfix.of(client, LEVEL));
        findings.push(without(postfix, &[client], &fact, switch_on(postfix, client)));
    }
    findings.extend(discarding.into_iter().map(|client| without_starttls(postfix, client)));
    findings
}

/// The level in force. The parameters that [`LEVEL`] has replaced do not count: Postfix sends no event of TLS that they demand.
pub(super) fn level<'a>(postfix: &'a Postfix, client: &'a Service) -> &'a str {
    postfix.of(client, LEVEL)
}

/// The finding for services that use TLS by a parameter that [`LEVEL`] has replaced.
fn by_old_parameter(postfix: &Postfix, clients: &[&Service], old: &str, remedy: Remedy) -> Finding {
    let who = names(clients);
    let message = format!("{LEVEL} is empty: {who} use TLS by {old} = yes, and Postfix reports none of it");
    leveled(postfix, clients, message, remedy)
}

const STARTTLS: &str = "starttls";

fn is_starttls(word: &&str) -> bool {
    word.eq_ignore_ascii_case(STARTTLS)
}

fn discards_starttls(postfix: &Postfix, client: &Service) -> bool {
    table::items(postfix.of(client, DISCARDED)).iter().any(is_starttls)
}

/// The finding for a service that does not see that servers offer TLS.
fn without_starttls(postfix: &Postfix, client: &Service) -> Finding {
    let (value, main) = (postfix.of(client, DISCARDED), postfix.setting(DISCARDED));
    let message =
        format!("{DISCARDED} = {value} for {}: it sees no STARTTLS, so there is nothing to report", client.name);
    let others: Vec<_> = table::items(main).into_iter().filter(|word| !is_starttls(word)).collect();
    let is_right = !table::items(main).iter().any(is_starttls);
    let command = postfix.command_to_leave_to_main(client, DISCARDED, is_right, &others.join(", "));
    leveled(postfix, &[client], message, Remedy::run(command))
}

/// The command that makes a service use TLS.
pub(super) fn switch_on(postfix: &Postfix, client: &Service) -> Remedy {
    Remedy::run(postfix.command_to_leave_to_main(client, LEVEL, is_used(postfix.setting(LEVEL)), "may"))
}

/// Whether a service is told to use TLS.
pub(super) fn uses_tls(postfix: &Postfix, client: &Service) -> bool {
    is_used(level(postfix, client))
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
    let message = format!("{fact}, so {who} without TLS: there is nothing to report", who = sends(clients));
    leveled(postfix, clients, message, remedy)
}

/// `smtp sends`, `smtp, relay send`.
pub(super) fn sends(clients: &[&Service]) -> String {
    format!("{} send{}", names(clients), if clients.len() == 1 { "s" } else { "" })
}

/// A failure if all mail leaves by one of these services.
pub(super) fn leveled(postfix: &Postfix, clients: &[&Service], message: String, remedy: Remedy) -> Finding {
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
    fn tls_by_a_replaced_parameter_is_not_reported() {
        for old in ["smtp_use_tls", "smtp_enforce_tls"] {
            let found = check(&postfix(&[(LEVEL, ""), (old, "yes")]));
            let [found] = &found[..] else { panic!("{found:?}") };
            assert_eq!(found.status, Status::Fail);
            assert!(found.message.contains(&format!("use TLS by {old} = yes, and Postfix reports none")), "{found:?}");
            assert_eq!(check(&postfix(&[(old, "yes")]))[0].status, Status::Ok);
        }
        assert_eq!(check(&postfix(&[(LEVEL, "none"), ("smtp_use_tls", "yes")]))[0].status, Status::Fail);
    }

    #[test]
    fn starttls_that_is_discarded_is_found_with_what_keeps_the_other_keywords() {
        let keywords = "smtp_discard_ehlo_keywords";
        for kept in ["", "chunking, silent-discard"] {
            assert_eq!(check(&postfix(&[(keywords, kept)]))[0].status, Status::Ok);
        }
        let found = check(&postfix(&[(keywords, "chunking, STARTTLS dsn")]));
        assert_eq!((found.len(), found[0].status, found[1].status), (3, Status::Fail, Status::Warn));
        let command = "postconf -e 'smtp_discard_ehlo_keywords=chunking, dsn' && postfix reload";
        assert_eq!(found[0].command(), Some(command));
        let found = check(&with_option(postfix(&[]), "smtp", keywords, "starttls"));
        let command = "postconf -PX smtp/unix/smtp_discard_ehlo_keywords && postfix reload";
        assert_eq!((found[1].status, found[1].command()), (Status::Fail, Some(command)));
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
