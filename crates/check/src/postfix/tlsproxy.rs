//! With connection reuse, tlsproxy makes the TLS connections.

use super::{Postfix, configuration::REUSE, disabled::switched_off, enabled::is_on, service::names};
use crate::{finding::Finding, remedy::Remedy};

const CHECK: &str = "tlsproxy";

pub(super) fn check(postfix: &Postfix) -> Finding {
    let clients = postfix.clients();
    let with_reuse: Vec<_> = clients.into_iter().filter(|client| is_on(postfix.of(client, REUSE))).collect();
    if with_reuse.is_empty() {
        return Finding::ok(CHECK, format!("not needed: {REUSE} = {}", postfix.setting(REUSE)));
    }
    let who = names(&with_reuse);
    match postfix.tlsproxy() {
        Some(service) => match switched_off(postfix, service) {
            Some((command, fact)) => {
                Finding::fail(CHECK, format!("{fact}, and {REUSE} = yes for {who}"), Remedy::run(command))
            }
            None => Finding::ok(CHECK, format!("{REUSE} = yes for {who}, and master.cf has the service")),
        },
        None => {
            let message = format!("{REUSE} = yes for {who}, but the service tlsproxy is off in master.cf");
            let option = postfix.option();
            let line = "'tlsproxy/unix=tlsproxy unix - - y - 0 tlsproxy'";
            Finding::fail(CHECK, message, Remedy::run(format!("postconf {option}-M {line} && {}", postfix.reload())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{REUSE, check};
    use crate::{
        finding::Status,
        postfix::{
            configuration::{
                DISABLED, Postfix,
                tests::{postfix, with_option},
            },
            service::Service,
        },
    };

    fn with_tlsproxy(mut postfix: Postfix) -> Postfix {
        postfix.services.extend(Service::read("tlsproxy unix - - y - 0 tlsproxy"));
        postfix
    }

    #[test]
    fn tlsproxy_is_needed_for_reuse_only() {
        assert_eq!(check(&postfix(&[])).status, Status::Ok);
        assert_eq!(check(&postfix(&[(REUSE, "yes")])).status, Status::Fail);
        assert_eq!(check(&with_tlsproxy(postfix(&[(REUSE, "yes")]))).status, Status::Ok);
        let off = check(&with_tlsproxy(postfix(&[(REUSE, "yes"), (DISABLED, "tlsproxy/unix")])));
        assert_eq!(
            (off.status, off.command()),
            (Status::Fail, Some("postconf -e master_service_disable= && postfix reload"))
        );
        let one = check(&with_option(postfix(&[]), "relay", REUSE, "yes"));
        assert_eq!(one.status, Status::Fail);
        assert!(one.message.contains("for relay,"), "{one:?}");
    }
}
