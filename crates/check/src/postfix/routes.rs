//! Where mail to other sites goes: to a service that reports, and to the sites themselves instead of a relay.

use super::{
    Postfix,
    configuration::{
        DEFAULT_TRANSPORT, ENABLE, OWN_DOMAINS, RELAY_DOMAINS, RELAY_HOST, RELAY_TRANSPORT, SENDER_RELAY_HOSTS,
        SENDER_TRANSPORTS, TRANSPORT_MAPS,
    },
    disabled::switched_off,
    enabled::{self, is_on},
    route::Route,
    service::Service,
    services,
    tls::{self, level},
};
use crate::{
    finding::Finding,
    mail_routes::{AT_RELAY, is_internal},
    paste,
    remedy::Remedy,
    table::{self, Entries},
};

const CHECK: &str = "route";
/// How many domains a message lists.
const LISTED: usize = 3;
/// What a relay means for reports.
const ABOUT_RELAY: &str = "Postfix then reports TLS with the relay, and TLS with the domains of the recipients is known \
                           to the relay alone";

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

/// Whether an SMTP client reports nothing, and what makes it report.
fn silence(postfix: &Postfix, service: &Service) -> Option<Remedy> {
    if !is_on(postfix.of(service, ENABLE)) {
        return Some(enabled::switch_on(postfix, service));
    }
    matches!(level(postfix, service), "" | "none").then(|| tls::switch_on(postfix, service))
}

fn of_parameter(postfix: &Postfix, parameter: &str, is_default: bool) -> Finding {
    let value = postfix.setting(parameter);
    let Route { service: name, next_hop } = Route::read(value);
    let usual = if parameter == DEFAULT_TRANSPORT { "smtp" } else { "relay" };
    let remedy = || Remedy::run(postfix.command_to_set(parameter, usual));
    let Some(service) = postfix.service(name) else {
        let message =
            format!("{parameter} = {value}: master.cf has no service {name}, so such mail stays in the queue");
        return Finding::fail(CHECK, message, if name == usual { services::add(postfix, usual) } else { remedy() });
    };
    if let Some((command, fact)) = switched_off(postfix, service) {
        let message = format!("{fact}, to which {parameter} leads: such mail stays in the queue");
        return Finding::fail(CHECK, message, Remedy::run(command));
    }
    if !service.is_client() {
        let message =
            format!("{parameter} = {value}: the service {name} runs {}, which reports nothing", service.command);
        return if is_default { Finding::fail(CHECK, message, remedy()) } else { Finding::ok(CHECK, message) };
    }
    if is_default && !next_hop.is_empty() {
        let message = format!("{parameter} = {value} sends all mail to the relay {next_hop}; {ABOUT_RELAY}");
        return Finding::warn(CHECK, message, Remedy::after(AT_RELAY, postfix.command_to_set(parameter, usual)));
    }
    // The usual service is judged by itself.
    if let Some(remedy) = silence(postfix, service).filter(|_| name != usual) {
        let message = format!("{parameter} = {value} leads to the service {name}, which reports nothing");
        return if is_default { Finding::fail(CHECK, message, remedy) } else { Finding::warn(CHECK, message, remedy) };
    }
    Finding::ok(CHECK, format!("{parameter} = {value} leads to the service {name}, which runs smtp"))
}

fn relay_host(postfix: &Postfix) -> Option<Finding> {
    let value = postfix.setting(RELAY_HOST);
    if value.is_empty() {
        return None;
    }
    let message = format!("{RELAY_HOST} = {value} sends all mail to this relay; {ABOUT_RELAY}");
    Some(Finding::warn(CHECK, message, Remedy::after(AT_RELAY, postfix.command_to_set(RELAY_HOST, ""))))
}

/// Judges the routes of a map. Domains of this host are left out: their mail does not go to other sites.
fn of_map(postfix: &Postfix, maps: &str, map: &str, entries: &Entries) -> Finding {
    let (own, filters) = (own_domains(postfix), postfix.filters());
    let (mut to_silent, mut to_relay) = (Vec::new(), Vec::new());
    let (mut remedy, mut relayed) = (None, Vec::new());
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
        let silence = silence(postfix, service).filter(|_| !filters.contains(&*service.name));
        if let Some(silence) = silence {
            to_silent.push(format!("{key} to {value}"));
            remedy.get_or_insert(silence);
        } else if !route.next_hop.is_empty() && !is_internal(route.host()) && !is_itself(key, route.host()) {
            to_relay.push(format!("{key} to {value}"));
            relayed.push(&**key);
        }
    }
    if let Some(remedy) = remedy {
        let message = format!("{maps} has {map}, which sends {} by a service that reports nothing", listed(&to_silent));
        return Finding::warn(CHECK, message, remedy);
    }
    if !to_relay.is_empty() {
        let message = format!("{maps} has {map}, which sends {} by a relay; {ABOUT_RELAY}", listed(&to_relay));
        return Finding::warn(CHECK, message, Remedy::after(AT_RELAY, take_out(postfix, maps, map, &relayed)));
    }
    Finding::ok(CHECK, format!("{maps} has {map}: its {} entries keep no mail from being reported", entries.len()))
}

/// The command that takes entries out of a map, or the map out of its parameter where it has no file of lines.
fn take_out(postfix: &Postfix, maps: &str, map: &str, keys: &[&str]) -> String {
    let Some((kind, file)) = table::file(map) else {
        let left: Vec<_> = table::items(postfix.setting(maps)).into_iter().filter(|item| *item != map).collect();
        return postfix.command_to_set(maps, &left.join(", "));
    };
    let lines: String = keys.iter().map(|key| format!(" -e {}", paste::word(&table::deletion(key)))).collect();
    let file = paste::word(file);
    let index = if table::is_indexed(kind) { format!("postmap {kind}:{file} && ") } else { String::new() };
    format!("sed -i{lines} {file} && {index}{}", postfix.reload())
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
    use super::{DEFAULT_TRANSPORT, RELAY_HOST, TRANSPORT_MAPS, check, of_map, take_out};
    use crate::{
        finding::{Finding, Status},
        postfix::configuration::{
            DISABLED, ENABLE, LEVEL, RELAY_DOMAINS, RELAY_TRANSPORT, SENDER_RELAY_HOSTS,
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
    fn a_missing_smtp_service_is_added() {
        let mut without = postfix(&[]);
        without.services.retain(|service| service.name != "smtp");
        let found = check(&without);
        let command = "postconf -M 'smtp/unix=smtp unix - - y - - smtp' && postfix reload";
        assert_eq!((worst(&found).status, worst(&found).command()), (Status::Fail, Some(command)));
    }

    #[test]
    fn a_service_that_is_switched_off_is_a_failure() {
        let of = |domains| check(&postfix(&[(DISABLED, "inet, relay/unix"), (RELAY_DOMAINS, domains)]));
        assert_eq!(worst(&of("")).status, Status::Ok);
        let found = of("behind.example");
        let command = "postconf -e master_service_disable=inet && postfix reload";
        assert_eq!((worst(&found).status, worst(&found).command()), (Status::Fail, Some(command)));
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
    fn a_default_transport_that_leads_to_a_silent_clone_is_a_failure() {
        let (clone, silent) = ("smtp-ip2", [(ENABLE, "no"), (LEVEL, "none")]);
        for (option, value) in silent {
            let of = |parameter, domains| {
                let changes = [(parameter, clone), (RELAY_DOMAINS, domains)];
                check(&with_option(postfix(&changes), clone, option, value))
            };
            let found = of(DEFAULT_TRANSPORT, "");
            assert_eq!(worst(&found).status, Status::Fail, "{found:?}");
            let command = format!("postconf -PX {clone}/unix/{option} && postfix reload");
            assert_eq!(worst(&found).command(), Some(&*command));
            assert_eq!(worst(&of(RELAY_TRANSPORT, "behind.example")).status, Status::Warn);
        }
        assert_eq!(worst(&check(&postfix(&[(DEFAULT_TRANSPORT, clone)]))).status, Status::Ok);
    }

    #[test]
    fn entries_are_taken_out_of_their_file() {
        let of = |map| {
            take_out(&postfix(&[(TRANSPORT_MAPS, "hash:/a, inline:{a=b}")]), TRANSPORT_MAPS, map, &["*", "a.b/c"])
        };
        assert_eq!(
            of("hash:/a b"),
            r"sed -i -e '/^\*[[:space:]]/d' -e '/^a\.b\/c[[:space:]]/d' '/a b' && postmap hash:'/a b' && postfix reload"
        );
        assert!(of("proxy:texthash:/a").ends_with(" /a && postfix reload"));
        assert_eq!(of("inline:{a=b}"), "postconf -e transport_maps=hash:/a && postfix reload");
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
