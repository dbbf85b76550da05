//! Whether the transports that send mail to other sites report, and use TLS.

use super::{Exim, configuration::Part};
use crate::finding::Finding;

const CHECK: &str = "transport";
/// The lines for a transport in docs/exim.md, as one remedy.
const LINES: &str = "add to it the lines .ifdef TLSRPT_EVENT / event_action = TLSRPT_EVENT / multi_domain = false / .endif (docs/exim.md \
                     has the commands); update-exim4.conf && systemctl reload exim4";
const INCLUDE: &str = "echo '.include_if_exists /usr/share/tlsrpt-exim/tlsrpt.conf' >/etc/exim4/conf.d/main/00_tlsrpt && \
                       update-exim4.conf && systemctl reload exim4 (unsplit configuration: append the line to \
                       /etc/exim4/exim4.conf.localmacros)";
const RELOAD: &str = "update-exim4.conf && systemctl reload exim4";

pub(super) fn check(exim: &Exim) -> Vec<Finding> {
    let mut findings = Vec::new();
    let used: Vec<_> =
        exim.smtp().map(|part| (part, routers(exim, part))).filter(|(_, routers)| !routers.is_empty()).collect();
    if used.is_empty() {
        let message = "no router leads mail to an smtp transport: no mail leaves this host by SMTP";
        findings.push(Finding::fail(CHECK, message, "dpkg-reconfigure exim4-config"));
    }
    for (part, routers) in used {
        findings.push(reports(exim, part));
        findings.extend(several_domains(part));
        findings.extend(tls(part));
        findings.extend(routers.into_iter().filter_map(|router| relay(part, router)));
    }
    findings
}

/// The routers that lead mail to other sites to this transport.
fn routers<'e>(exim: &'e Exim, part: &Part) -> Vec<&'e Part> {
    let leads = |router: &&Part| {
        let to_others = match router.option("driver") {
            "dnslookup" | "queryprogram" => true,
            "manualroute" => !router.option("route_list").is_empty() || !router.option("route_data").is_empty(),
            _ => false,
        };
        to_others && router.option("transport") == part.name
    };
    exim.routers.iter().filter(leads).collect()
}

fn reports(exim: &Exim, part: &Part) -> Finding {
    let name = &part.name;
    match part.call() {
        Some(call) => Finding::ok(CHECK, format!("the transport {name} reports to {}", call.socket)),
        None if !exim.has("TLSRPT_EVENT") => {
            let message = format!(
                "the transport {name} reports nothing: the macro TLSRPT_EVENT is not defined, so tlsrpt.conf is not included"
            );
            Finding::fail(CHECK, message, INCLUDE)
        }
        None => {
            let message = format!("the transport {name} reports nothing: its event_action does not call the module");
            Finding::fail(CHECK, message, LINES)
        }
    }
}

/// The module cannot tell the domains of a connection apart.
fn several_domains(part: &Part) -> Option<Finding> {
    (part.call().is_some() && part.is_on("multi_domain")).then(|| {
        let message = format!(
            "the transport {} has multi_domain on: connections for several domains are not reported",
            part.name
        );
        Finding::warn(CHECK, message, format!("add multi_domain = false to the transport; {RELOAD}"))
    })
}

fn tls(part: &Part) -> Option<Finding> {
    let avoided = part.option("hosts_avoid_tls");
    if avoided.is_empty() {
        return None;
    }
    let message =
        format!("the transport {} has hosts_avoid_tls = {avoided}: without TLS there is nothing to report", part.name);
    let remedy = format!("take hosts_avoid_tls out of the transport (Debian: REMOTE_SMTP_HOSTS_AVOID_TLS); {RELOAD}");
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
        Finding::warn("route", message, "nothing, if the relay reports itself; else, to send to the domains themselves: dpkg-reconfigure exim4-config")
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
    fn a_relay_is_a_warning() {
        let relay = found(
            ("", ""),
            ("driver = dnslookup\n", "driver = manualroute\nroute_list = * smtp.isp.example::587 byname\n"),
        );
        assert_eq!(shown(&relay), [(Status::Ok, "transport"), (Status::Warn, "route"), (Status::Warn, "route")]);
    }
}
