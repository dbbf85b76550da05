//! Where mail to other sites goes: to a service that reports, and to the sites themselves instead of a relay.

use super::{
    Postfix,
    configuration::{
        DEFAULT_TRANSPORT, ENABLE, OWN_DOMAINS, RELAY_DOMAINS, RELAY_HOST, RELAY_TRANSPORT, SENDER_RELAY_HOSTS,
        SENDER_TRANSPORTS, TRANSPORT_MAPS,
    },
    enabled::is_on,
    route::{Route, is_internal},
    service::Service,
    tls::level,
};
use crate::{
    finding::Finding,
    table::{self, Entries},
};

const CHECK: &str = "route";
/// How many domains a message lists.
const LISTED: usize = 3;
/// What a relay means for reports.
const ABOUT_RELAY: &str = "Postfix then reports TLS with the relay, and TLS with the domains of the recipients is known \
                           to the relay alone";
/// What one can do about it.
const AT_RELAY: &str = "nothing, if the relay reports itself";

pub(super) fn check(postfix: &Postfix) -> Vec<Finding> {
    let mut findings = vec![of_parameter(postfix, DEFAULT_TRANSPORT, true)];
    if !postfix.setting(RELAY_DOMAINS).is_empty() {
        findings.push(of_parameter(postfix, RELAY_TRANSPORT, false));
    }
    findings.extend(relay_host(postfix));
    for maps in [TRANSPORT_MAPS, SENDER_TRANSPORTS, SENDER_RELAY_HOSTS] {
        for map in table::items(postfix.setting(maps)) {
            findings.push(match table::entries(map) {
                Some(entries) => of_map(postfix, maps, map, &entries),
                None => {
                    Finding::ok(CHECK, format!("{maps} has {map}, which cannot be listed: its routes are not checked"))
                }
            });
        }
    }
    findings
}

/// Whether an SMTP client reports nothing.
fn is_silent(postfix: &Postfix, service: &Service) -> bool {
    !is_on(postfix.of(service, ENABLE)) || matches!(level(postfix, service), "" | "none")
}

fn of_parameter(postfix: &Postfix, parameter: &str, is_default: bool) -> Finding {
    let value = postfix.setting(parameter);
    let Route { service: name, next_hop } = Route::read(value);
    let usual = if parameter == DEFAULT_TRANSPORT { "smtp" } else { "relay" };
    let remedy = || postfix.command_to_set(parameter, usual);
    let Some(service) = postfix.service(name) else {
        let message =
            format!("{parameter} = {value}: master.cf has no service {name}, so such mail stays in the queue");
        return Finding::fail(CHECK, message, remedy());
    };
    if !service.is_client() {
        let message =
            format!("{parameter} = {value}: the service {name} runs {}, which reports nothing", service.command);
        return if is_default { Finding::fail(CHECK, message, remedy()) } else { Finding::ok(CHECK, message) };
    }
    if is_default && !next_hop.is_empty() {
        let message = format!("{parameter} = {value} sends all mail to the relay {next_hop}; {ABOUT_RELAY}");
        return Finding::warn(
            CHECK,
            message,
            format!("{AT_RELAY}; else, to send to the domains themselves: {}", remedy()),
        );
    }
    Finding::ok(CHECK, format!("{parameter} = {value} leads to the service {name}, which runs smtp"))
}

fn relay_host(postfix: &Postfix) -> Option<Finding> {
    let value = postfix.setting(RELAY_HOST);
    if value.is_empty() {
        return None;
    }
    let message = format!("{RELAY_HOST} = {value} sends all mail to this relay; {ABOUT_RELAY}");
    let remedy =
        format!("{AT_RELAY}; else, to send to the domains themselves: {}", postfix.command_to_set(RELAY_HOST, ""));
    Some(Finding::warn(CHECK, message, remedy))
}

/// Judges the routes of a map. Domains of this host are left out: their mail does not go to other sites.
fn of_map(postfix: &Postfix, maps: &str, map: &str, entries: &Entries) -> Finding {
    let own = own_domains(postfix);
    let (mut to_silent, mut to_relay) = (Vec::new(), Vec::new());
    for (key, value) in entries {
        let route =
            if maps == SENDER_RELAY_HOSTS { Route { service: "", next_hop: value } } else { Route::read(value) };
        let is_own = own.iter().any(|own| own.eq_ignore_ascii_case(key.trim_start_matches('.')));
        if is_own && maps == TRANSPORT_MAPS {
            continue;
        }
        let name = if route.service.is_empty() {
            Route::service_of(postfix.setting(DEFAULT_TRANSPORT))
        } else {
            route.service
        };
        let Some(service) = postfix.service(name).filter(|service| service.is_client()) else { continue };
        if is_silent(postfix, service) && !postfix.filters().contains(&*service.name) {
            to_silent.push(format!("{key} to {value}"));
        } else if !route.next_hop.is_empty() && !is_internal(route.host()) && !is_itself(key, route.host()) {
            to_relay.push(format!("{key} to {value}"));
        }
    }
    if !to_silent.is_empty() {
        let message = format!("{maps} has {map}, which sends {} by a service that reports nothing", listed(&to_silent));
        return Finding::warn(
            CHECK,
            message,
            "see the remedies for that service above, or take these lines out of the map",
        );
    }
    if !to_relay.is_empty() {
        let message = format!("{maps} has {map}, which sends {} by a relay; {ABOUT_RELAY}", listed(&to_relay));
        return Finding::warn(CHECK, message, format!("{AT_RELAY}; else take these lines out of the map"));
    }
    Finding::ok(CHECK, format!("{maps} has {map}: its {} entries keep no mail from being reported", entries.len()))
}

/// Whether a route leads a domain to itself: to its own name or a host below it.
fn is_itself(key: &str, host: &str) -> bool {
    let domain = key.trim_start_matches('.').rsplit('@').next().unwrap_or(key);
    host.eq_ignore_ascii_case(domain)
        || host.to_ascii_lowercase().strip_suffix(&domain.to_ascii_lowercase()).is_some_and(|rest| rest.ends_with('.'))
}

fn listed(routes: &[String]) -> String {
    let first = routes.iter().take(LISTED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match routes.len().saturating_sub(LISTED) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// The domains whose mail stays on this host or behind it, where they are names or in a table that can be listed.
fn own_domains(postfix: &Postfix) -> Vec<String> {
    let mut own = Vec::new();
    for item in OWN_DOMAINS.into_iter().flat_map(|name| table::items(postfix.setting(name))) {
        if table::is_table(item) {
            own.extend(table::entries(item).into_iter().flatten().map(|(key, _)| key));
        } else {
            own.push(item.into());
        }
    }
    own
}

#[cfg(test)]
mod tests {
    use super::{DEFAULT_TRANSPORT, RELAY_HOST, TRANSPORT_MAPS, check, of_map};
    use crate::{
        finding::{Finding, Status},
        postfix::configuration::{
            ENABLE, RELAY_DOMAINS, RELAY_TRANSPORT, SENDER_RELAY_HOSTS,
            tests::{postfix, with_option},
        },
    };

    fn worst(findings: &[Finding]) -> &Finding {
        findings.iter().max_by_key(|finding| finding.status).unwrap()
    }

    #[test]
    fn mail_that_leaves_by_a_service_that_reports_passes() {
        let found = check(&postfix(&[]));
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].status, &*found[0].message),
            (Status::Ok, "default_transport = smtp leads to the service smtp, which runs smtp")
        );
    }

    #[test]
    fn a_default_transport_that_reports_nothing_is_a_failure() {
        for value in ["no-such", "lmtp", "lmtp:unix:private/x"] {
            let found = check(&postfix(&[(DEFAULT_TRANSPORT, value)]));
            assert_eq!(worst(&found).status, Status::Fail, "{value}: {found:?}");
        }
    }

    #[test]
    fn a_relay_is_a_warning_that_names_it() {
        for (name, value) in [(RELAY_HOST, "[smtp.isp.example]:587"), (DEFAULT_TRANSPORT, "smtp:[smtp.isp.example]")] {
            let found = check(&postfix(&[(name, value)]));
            let found = worst(&found);
            assert_eq!(found.status, Status::Warn, "{found:?}");
            assert!(found.message.contains("[smtp.isp.example]"), "{found:?}");
        }
    }

    #[test]
    fn the_relay_transport_counts_where_there_are_relay_domains() {
        let missing = (RELAY_TRANSPORT, "no-such");
        assert_eq!(worst(&check(&postfix(&[missing]))).status, Status::Ok);
        assert_eq!(worst(&check(&postfix(&[missing, (RELAY_DOMAINS, "behind.example")]))).status, Status::Fail);
    }

    fn mapped(entries: &[(&str, &str)], maps: &str) -> Finding {
        let postfix = with_option(postfix(&[(RELAY_DOMAINS, "behind.example")]), "relay", ENABLE, "no");
        let entries = entries.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
        of_map(&postfix, maps, "hash:/etc/postfix/transport", &entries)
    }

    #[test]
    fn entries_of_a_map_that_lead_elsewhere_are_listed() {
        let found = mapped(&[("a.example", "relay:"), ("b.example", "smtp:[c.example]")], TRANSPORT_MAPS);
        assert_eq!(found.status, Status::Warn);
        assert!(found.message.contains("sends a.example to relay: by a service that reports nothing"), "{found:?}");
        let found = mapped(&[("*", ":[c.example]"), ("d.example", "smtp:[2001:db8::1]")], TRANSPORT_MAPS);
        assert!(found.message.contains("* to :[c.example], d.example to smtp:[2001:db8::1] by a relay"), "{found:?}");
        assert_eq!(mapped(&[("@sender.example", "[c.example]:587")], SENDER_RELAY_HOSTS).status, Status::Warn);
    }

    #[test]
    fn entries_that_hide_nothing_pass() {
        let entries = [
            ("behind.example", "smtp:[mail.inside.example]"),
            ("local.example", "lmtp:unix:private/dovecot"),
            ("a.example", "error:no such domain"),
            ("b.example", "smtp:[10.0.0.1]"),
            ("c.example", "smtp:"),
            ("d.example", "smtp:[mx.d.example]"),
        ];
        assert_eq!(mapped(&entries, TRANSPORT_MAPS).status, Status::Ok);
    }
}
