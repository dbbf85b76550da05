//! Which services of master.cf send mail to other hosts.

use super::{Postfix, service::names};
use crate::finding::Finding;

const CHECK: &str = "services";

pub(super) fn check(postfix: &Postfix) -> Finding {
    let clients = postfix.clients();
    if clients.is_empty() {
        let remedy =
            format!("postconf {}-M 'smtp/unix=smtp unix - - y - - smtp' && {}", postfix.option(), postfix.reload());
        return Finding::fail(CHECK, "master.cf has no service that runs smtp: no mail leaves this host", remedy);
    }
    let mut filters: Vec<_> = postfix.filters().into_iter().collect();
    filters.sort_unstable();
    let mut message = format!("{} in master.cf send mail to other hosts", names(&clients));
    if !filters.is_empty() {
        message += &format!("; {} pass it to a filter, which needs no reports", filters.join(", "));
    }
    Finding::ok(CHECK, message)
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
