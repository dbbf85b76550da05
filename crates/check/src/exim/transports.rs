//! Whether the transports that send mail to other sites report, and use TLS.

use std::path::Path;

use super::{
    Exim,
    configuration::Part,
    files::{MACROS, PACKAGE, SOCKET},
};
use crate::{
    finding::Finding,
    mail_routes::{AT_RELAY, is_internal},
    remedy::Remedy,
};

const CHECK: &str = "transport";
/// Debian's questions about the ways of mail.
const RECONFIGURE: &str = "dpkg-reconfigure exim4-config";

pub(super) fn check(exim: &Exim) -> Vec<Finding> {
    let mut findings = Vec::new();
    let used: Vec<_> =
        exim.smtp().map(|part| (part, routers(exim, part))).filter(|(_, routers)| !routers.is_empty()).collect();
    if used.is_empty() {
        let message = "no router leads mail to an smtp transport: no mail leaves this host by SMTP";
        findings.push(Finding::fail(CHECK, message, Remedy::run(RECONFIGURE)));
    }
    for (part, routers) in used {
        let for_some = routers.iter().all(|router| is_for_some(router));
        findings.push(reports(exim, part, for_some));
        findings.extend(several_domains(exim, part));
        findings.extend(tls(exim, part));
        findings.extend(routers.into_iter().filter_map(|router| relay(part, router)));
    }
    findings
}

/// The transports that take mail to all other sites.
pub(super) fn to_all(exim: &Exim) -> Vec<&Part> {
    exim.smtp().filter(|part| routers(exim, part).iter().any(|router| !is_for_some(router))).collect()
}

/// The routers that lead mail to other sites to this transport.
fn routers<'e>(exim: &'e Exim, part: &Part) -> Vec<&'e Part> {
    let leads = |router: &&Part| {
        let to_others = match router.option("driver") {
            "dnslookup" | "queryprogram" => true,
            "manualroute" => match router.option("route_list") {
                "" => !router.option("route_data").is_empty(),
                list => !is_to_hosts_of_this_site(list),
            },
            _ => false,
        };
        to_others && router.option("transport") == part.name
    };
    exim.routers.iter().filter(leads).collect()
}

/// Whether a router is for domains that the administrator has listed.
fn is_for_some(router: &Part) -> bool {
    router.option("driver") == "manualroute" && !router.option("route_list").starts_with('*')
}

/// Whether each rule of a route list, `pattern hosts options; ...`, leads to hosts behind this one, which need no reports.
fn is_to_hosts_of_this_site(list: &str) -> bool {
    list.split(';').map(str::trim).filter(|rule| !rule.is_empty()).all(|rule| {
        let hosts = rule.split_whitespace().nth(1).unwrap_or("");
        // The address may have a port behind it.
        hosts.split("::").next().is_some_and(is_internal)
    })
}

fn reports(exim: &Exim, part: &Part, for_some: bool) -> Finding {
    let name = &part.name;
    let silent = |message: String, remedy: Remedy| {
        if for_some { Finding::warn(CHECK, message, remedy) } else { Finding::fail(CHECK, message, remedy) }
    };
    match part.call() {
        Some(call) if call.socket.is_empty() => {
            let message = format!("the transport {name} names no socket: {SOCKET} is empty");
            silent(message, Remedy::run(exim.files.set_macro(SOCKET, None)))
        }
        Some(call) => Finding::ok(CHECK, format!("the transport {name} reports to {}", call.socket)),
        None if !exim.has("TLSRPT_EVENT") => {
            let why = match Path::new(MACROS).exists() {
                true => format!("{MACROS} is not included"),
                false => format!("{MACROS}, which the package {PACKAGE} has, does not exist"),
            };
            let message =
                format!("the transport {name} reports nothing: the macro TLSRPT_EVENT is not defined, because {why}");
            silent(message, exim.files.include_macros())
        }
        None => {
            let message = format!("the transport {name} reports nothing: its event_action does not call the module");
            silent(message, exim.files.call_from(name, part.option("event_action")))
        }
    }
}

/// The module cannot tell the domains of a connection apart.
fn several_domains(exim: &Exim, part: &Part) -> Option<Finding> {
    (part.call().is_some() && part.is_on("multi_domain")).then(|| {
        let message = format!(
            "the transport {} has multi_domain on: connections for several domains are not reported",
            part.name
        );
        Finding::warn(CHECK, message, Remedy::run(exim.files.set_option(&part.name, "multi_domain", "false")))
    })
}

fn tls(exim: &Exim, part: &Part) -> Option<Finding> {
    let avoided = part.option("hosts_avoid_tls");
    if avoided.is_empty() {
        return None;
    }
    let message =
        format!("the transport {} has hosts_avoid_tls = {avoided}: without TLS there is nothing to report", part.name);
    // Debian's transports have a macro for this option.
    let by_macro = format!("{}_HOSTS_AVOID_TLS", part.name.to_ascii_uppercase());
    let remedy = Remedy::run(match exim.has(&by_macro) {
        true => exim.files.set_macro(&by_macro, None),
        false => exim.files.edit(&part.name, "hosts_avoid_tls", "/^ *hosts_avoid_tls/d"),
    });
    Some(if avoided == "*" { Finding::fail("tls", message, remedy) } else { Finding::warn("tls", message, remedy) })
}

fn relay(part: &Part, router: &Part) -> Option<Finding> {
    let list = router.option("route_list");
    let all = router.option("driver") == "manualroute" && list.starts_with('*');
    all.then(|| {
        let message = format!(
            "the router {} sends all mail by a relay ({list}), and the transport {} then reports TLS with the relay alone; TLS with \
             the domains of the recipients is known to the relay",
            router.name, part.name
        );
        Finding::warn("route", message, Remedy::after(AT_RELAY, RECONFIGURE))
    })
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::{
        exim::configuration::tests::{MACROS, exim},
        finding::{Finding, Status},
    };

    fn found(transports: (&str, &str), routers: (&str, &str)) -> Vec<Finding> {
        check(&exim(MACROS, transports, routers))
    }

    fn shown(findings: &[Finding]) -> Vec<(Status, &'static str)> {
        findings.iter().map(|finding| (finding.status, finding.check)).collect()
    }

    #[test]
    fn a_transport_that_is_used_must_call_the_module() {
        assert_eq!(shown(&found(("", ""), ("", ""))), [(Status::Ok, "transport")]);
        let without = ("}{tlsrpt_event}{", "}{other}{");
        assert_eq!(shown(&found(without, ("", ""))), [(Status::Fail, "transport")]);
        let no_macro = check(&exim("_HAVE_TLS=y\n_HAVE_DLFUNC=y\n", without, ("", "")));
        assert!(no_macro[0].message.contains("TLSRPT_EVENT is not defined"), "{no_macro:?}");
    }

    #[test]
    fn tls_that_is_avoided_and_several_domains_are_found() {
        let avoided = found(("hosts_avoid_tls = \n", "hosts_avoid_tls = *\n"), ("", ""));
        assert_eq!(shown(&avoided), [(Status::Ok, "transport"), (Status::Fail, "tls")]);
        let several = found(("no_multi_domain", "multi_domain"), ("", ""));
        assert_eq!(shown(&several), [(Status::Ok, "transport"), (Status::Warn, "transport")]);
    }

    #[test]
    fn a_transport_for_some_domains_alone_is_a_warning_and_one_to_a_host_of_this_site_is_none() {
        let without = ("}{tlsrpt_event}{", "}{other}{");
        let to = |list: &str| {
            let mut exim = exim(
                MACROS,
                without,
                ("driver = dnslookup\n", &format!("driver = manualroute\nroute_list = {list}\n")),
            );
            // Debian's router for hubbed hosts has no route list.
            exim.routers.retain(|router| !router.option("route_list").is_empty());
            check(&exim)
        };
        assert_eq!(shown(&to("a.example mx.a.example")), [(Status::Warn, "transport")]);
        assert_eq!(shown(&to("a.example mx.a.example; own.test 10.0.0.1")), [(Status::Warn, "transport")]);
        let internal = to("own.test 10.0.0.1::2525 byname");
        assert!(internal[0].message.starts_with("no router leads mail "), "{internal:?}");
        assert!(check(&exim(MACROS, without, ("", "")))[0].status == Status::Fail);
    }

    #[test]
    fn an_empty_socket_is_a_failure() {
        let found = found(("/run/tlsrpt/tlsrpt.sock", ""), ("", ""));
        assert_eq!(shown(&found), [(Status::Fail, "transport")]);
        assert!(found[0].message.contains("names no socket"), "{found:?}");
    }

    #[test]
    fn a_relay_is_a_warning() {
        let relay = found(
            ("", ""),
            ("driver = dnslookup\n", "driver = manualroute\nroute_list = * smtp.isp.example::587 byname\n"),
        );
        assert_eq!(shown(&relay), [(Status::Ok, "transport"), (Status::Warn, "route"), (Status::Warn, "route")]);
    }
}
