//! TLS from the first byte on, which relays have at port 465, and no other site has at port 25.

use super::{
    Postfix,
    configuration::{DEFAULT_TRANSPORT, RELAY_HOST, SENDER_RELAY_HOSTS, SENDER_TRANSPORTS, TRANSPORT_MAPS, WRAPPER},
    enabled::is_on,
    route::Route,
    service::Service,
    tls::CHECK,
};
use crate::{finding::Finding, remedy::Remedy};

/// The maps that may lead all mail to relays.
const MAPS: [&str; 3] = [TRANSPORT_MAPS, SENDER_TRANSPORTS, SENDER_RELAY_HOSTS];

pub(super) fn check(postfix: &Postfix) -> Option<Finding> {
    let is_wrong = |client: &&Service| postfix.is_main(client) && is_on(postfix.of(client, WRAPPER));
    let client = postfix.clients().into_iter().find(is_wrong)?;
    let has_relay =
        !postfix.setting(RELAY_HOST).is_empty() || !Route::read(postfix.setting(DEFAULT_TRANSPORT)).next_hop.is_empty();
    if has_relay {
        return None;
    }
    let message = format!(
        "{WRAPPER} = yes for {}: it begins TLS without STARTTLS, which no server at port 25 understands, so mail to other sites \
         waits, and at most failures that are not theirs are reported",
        client.name
    );
    let command = postfix.command_to_leave_to_main(client, WRAPPER, !is_on(postfix.setting(WRAPPER)), "no");
    let by_map = MAPS.iter().any(|maps| !postfix.setting(maps).is_empty());
    let make = if by_map { Finding::warn } else { Finding::fail };
    Some(make(CHECK, message, Remedy::run(command)))
}

#[cfg(test)]
mod tests {
    use super::{DEFAULT_TRANSPORT, RELAY_HOST, TRANSPORT_MAPS, WRAPPER, check};
    use crate::{
        finding::Status,
        postfix::configuration::tests::{postfix, with_option},
    };

    #[test]
    fn only_a_relay_is_reached_without_starttls() {
        let of = |changes: &[(&str, &str)]| check(&postfix(&[&[(WRAPPER, "yes")], changes].concat()));
        assert_eq!(check(&postfix(&[])), None);
        let found = of(&[]).unwrap();
        let command = "postconf -e smtp_tls_wrappermode=no && postfix reload";
        assert_eq!((found.status, found.command()), (Status::Fail, Some(command)));
        assert_eq!(of(&[(RELAY_HOST, "[relay.example]:465")]), None);
        assert_eq!(of(&[(DEFAULT_TRANSPORT, "smtp:[relay.example]:465")]), None);
        assert_eq!(of(&[(TRANSPORT_MAPS, "hash:/a")]).unwrap().status, Status::Warn);
    }

    #[test]
    fn the_service_for_other_sites_alone_counts() {
        assert_eq!(check(&with_option(postfix(&[]), "relay", WRAPPER, "yes")), None);
        let found = check(&with_option(postfix(&[]), "smtp", WRAPPER, "yes")).unwrap();
        let command = "postconf -PX smtp/unix/smtp_tls_wrappermode && postfix reload";
        assert_eq!((found.status, found.command()), (Status::Fail, Some(command)));
    }
}
