//! Which services of master.cf send mail to other hosts.

use super::{
    Postfix,
    service::{CLIENT, names},
};
use crate::{finding::Finding, paste, remedy::Remedy};

const CHECK: &str = "services";

pub(super) fn check(postfix: &Postfix) -> Finding {
    let clients = postfix.clients();
    if clients.is_empty() {
        let message = "master.cf has no service that runs smtp: no mail leaves this host";
        return Finding::fail(CHECK, message, add(postfix, CLIENT));
    }
    let mut filters: Vec<_> = postfix.filters().into_iter().collect();
    filters.sort_unstable();
    let mut message = format!("{} in master.cf send mail to other hosts", names(&clients));
    if !filters.is_empty() {
        message += &format!("; {} pass it to a filter, which needs no reports", filters.join(", "));
    }
    Finding::ok(CHECK, message)
}

/// What adds an SMTP client to master.cf, in a chroot if other services are.
pub(super) fn add(postfix: &Postfix, name: &str) -> Remedy {
    let chroot = if postfix.services.iter().any(|service| service.chroot == Some(true)) { 'y' } else { 'n' };
    let line = format!("{name}/unix={name} unix - - {chroot} - - {CLIENT}");
    Remedy::run(format!("postconf {}-M {} && {}", postfix.option(), paste::word(&line), postfix.reload()))
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::{finding::Status, postfix::configuration::tests::postfix};

    #[test]
    fn the_services_are_named() {
        let found = check(&postfix(&[]));
        assert!(found.message.starts_with("smtp, relay, smtp-ip2 in master.cf send"), "{found:?}");
        assert!(found.message.contains("smtp-amavis pass it to a filter"), "{found:?}");
        let mut without = postfix(&[]);
        without.services.retain(|service| service.command != "smtp");
        assert_eq!(check(&without).status, Status::Fail);
    }
}
