//! Programs that look up MTA-STS policies for Postfix, and whether they also say what reports need.

use std::path::Path;

use super::{
    Postfix,
    configuration::{CA_FILE, CA_FOLDER, POLICY_MAPS, USUAL_CA},
    enabled::is_on,
    service::Service,
};
use crate::{bounded, finding::Finding, remedy::Remedy, socket_map::SocketMap, table};

const CHECK: &str = "mta-sts";
/// The names of the maps of postfix-tlspol, without and with the attributes of TLSRPT.
const WITHOUT: &str = "QUERY";
const WITH: &str = "QUERYwithTLSRPT";
/// The attribute that answers with a policy must have.
const ATTRIBUTE: &str = "policy_type=";
/// The level with which certificates are verified, as MTA-STS demands.
const VERIFIED: &str = "secure";
/// The files with the certificates of authorities: of Debian, Fedora and FreeBSD.
const AUTHORITIES: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];
/// The units of the two programs.
const TLSPOL: &str = "postfix-tlspol";
const RESOLVER: &str = "postfix-mta-sts-resolver";
/// The configuration of postfix-mta-sts-resolver.
const RESOLVER_FILE: &str = "/etc/mta-sts-daemon.yml";
/// Its zone for all domains without one of their own.
const ZONE: &str = "default_zone:";

pub(super) fn check(postfix: &Postfix, domain: &str) -> Vec<Finding> {
    let tables = postfix
        .policy_lists()
        .into_iter()
        .flat_map(|(list, client)| table::items(list).into_iter().map(move |item| (item, client)));
    tables
        .filter_map(|(table, client)| Some(of_map(postfix, client, table, &SocketMap::read(table)?, domain)))
        .collect()
}

fn of_map(postfix: &Postfix, client: &Service, table: &str, map: &SocketMap<'_>, domain: &str) -> Finding {
    let consequence = "so MTA-STS policies are missing in the reports";
    if map.name == WITHOUT {
        let message = format!(
            "{POLICY_MAPS} asks postfix-tlspol for {WITHOUT}, whose answers lack the attributes of TLSRPT, {consequence}"
        );
        let changed = format!("{}{WITH}", table.strip_suffix(WITHOUT).unwrap_or(table));
        let value = postfix.of(client, POLICY_MAPS).replace(table, &changed);
        let command = postfix.command_to_change(client, POLICY_MAPS, &value);
        return Finding::warn(CHECK, message, Remedy::run(command));
    }
    let answer = match map.ask(domain, &postfix.path("queue_directory")) {
        None => return Finding::ok(CHECK, format!("{table} is on another host and was not asked")),
        Some(Err(error)) => {
            let message = format!("{table} in {POLICY_MAPS} gives no answer for {domain}: {error}");
            return Finding::warn(CHECK, message, start(map));
        }
        Some(Ok(answer)) => answer,
    };
    let resolver = bounded::read_text(Path::new(RESOLVER_FILE)).ok();
    let without = match answer.strip_prefix("OK ") {
        Some(policy) => !policy.contains(ATTRIBUTE),
        None if map.name == WITH => false,
        // No policy for this domain: the configuration says whether others would have the attributes.
        None => resolver.as_ref().is_some_and(|text| !switches_tlsrpt_on(text)),
    };
    if without {
        let message = format!(
            "the answers of {table} in {POLICY_MAPS} lack the attributes of TLSRPT ({ATTRIBUTE}...), {consequence}"
        );
        return Finding::warn(CHECK, message, Remedy::run(switch_tlsrpt_on(&resolver.unwrap_or_default())));
    }
    match answer.strip_prefix("OK ") {
        Some(policy) if policy.starts_with(VERIFIED) && trusts_nobody(postfix, client) => {
            let message = format!(
                "{CA_FILE} and {CA_FOLDER} are empty, so no certificate is trusted: mail to domains with MTA-STS waits, and they are \
                 told of failures that are not theirs"
            );
            Finding::fail(CHECK, message, Remedy::run(postfix.command_to_set(CA_FILE, authorities())))
        }
        Some(_) => Finding::ok(CHECK, format!("the answer of {table} for {domain} has the attributes of TLSRPT")),
        None => Finding::ok(CHECK, format!("{table} answers {:.40} for {domain}", answer)),
    }
}

/// Whether a service has no certificates of authorities, with which it could verify others.
fn trusts_nobody(postfix: &Postfix, client: &Service) -> bool {
    [CA_FILE, CA_FOLDER].iter().all(|name| postfix.of(client, name).is_empty()) && !is_on(postfix.setting(USUAL_CA))
}

/// The file of the certificates of authorities, which Postfix reads before it enters the chroot.
pub(super) fn authorities() -> &'static str {
    AUTHORITIES.into_iter().find(|file| Path::new(file).exists()).unwrap_or(AUTHORITIES[0])
}

/// What starts the program that has to answer.
fn start(map: &SocketMap<'_>) -> Remedy {
    let unit = if map.name == WITH { TLSPOL } else { RESOLVER };
    Remedy::after(format!("if {unit} is the program"), format!("systemctl restart {unit}"))
}

/// The command that switches it on, for a configuration of the resolver with this text.
fn switch_tlsrpt_on(text: &str) -> String {
    let change = match text.lines().any(|line| line.starts_with(ZONE)) {
        true => format!(r"sed -i -e '/^  *tlsrpt:/d' -e 's/^{ZONE}.*/&\n  tlsrpt: true/' {RESOLVER_FILE}"),
        false => format!(r"printf '{ZONE}\n  tlsrpt: true\n' >>{RESOLVER_FILE}"),
    };
    format!("{change} && systemctl restart {RESOLVER}")
}

/// Whether the zones of a configuration in YAML have `tlsrpt: true`. It has no effect outside of a zone.
fn switches_tlsrpt_on(text: &str) -> bool {
    let lines = text.lines().filter(|line| line.starts_with([' ', '\t']));
    let values = lines.filter_map(|line| line.trim().strip_prefix("tlsrpt:"));
    values.map(|value| value.split('#').next().unwrap_or("").trim()).any(|value| ["true", "yes", "on"].contains(&value))
}

#[cfg(test)]
mod tests {
    use std::{fs, process::Command};

    use super::{POLICY_MAPS, RESOLVER_FILE, check, switch_tlsrpt_on, switches_tlsrpt_on};
    use crate::{
        finding::{Finding, Status},
        postfix::configuration::tests::{postfix, with_option},
        socket_map::tests::map,
    };

    fn found(maps: &str) -> Vec<Finding> {
        check(&postfix(&[(POLICY_MAPS, maps)]), "sts.example")
    }

    #[test]
    fn a_map_without_the_attributes_is_named_with_the_changed_list() {
        let found = found("hash:/a, socketmap:inet:127.0.0.1:8642:QUERY");
        let [finding] = &found[..] else { panic!("{found:?}") };
        assert_eq!(finding.status, Status::Warn);
        assert_eq!(
            finding.command(),
            Some(
                "postconf -e 'smtp_tls_policy_maps=hash:/a, socketmap:inet:127.0.0.1:8642:QUERYwithTLSRPT' && postfix reload"
            )
        );
    }

    #[test]
    fn a_map_of_one_service_is_changed_there() {
        let postfix = with_option(postfix(&[]), "relay", POLICY_MAPS, "socketmap:inet:127.0.0.1:8642:QUERY");
        let found = check(&postfix, "sts.example");
        let [finding] = &found[..] else { panic!("{found:?}") };
        let command = finding.command().unwrap();
        assert!(command.starts_with("postconf -P relay/unix/smtp_tls_policy_maps=socketmap:"), "{command}");
        assert!(command.contains(":QUERYwithTLSRPT && "), "{command}");
    }

    #[test]
    fn the_answer_of_a_map_decides() {
        let status = |maps: String| found(&maps).iter().map(|finding| finding.status).collect::<Vec<_>>();
        assert_eq!(status(map("QUERYwithTLSRPT", "32:OK secure policy_type=sts more..,")), [Status::Ok]);
        assert_eq!(status(map("postfix", "30:OK secure match=mx.sts.example,")), [Status::Warn]);
        assert_eq!(status(map("QUERYwithTLSRPT", "9:NOTFOUND ,")), [Status::Ok]);
        assert_eq!(status(map("postfix", "")), [Status::Warn]);
        assert_eq!(status("hash:/etc/postfix/tls_policy".into()), []);
    }

    #[test]
    fn a_policy_that_demands_trust_needs_authorities() {
        let answer = "32:OK secure policy_type=sts more..,";
        let status = |authorities: &[(&str, &str)]| {
            let list = map("QUERYwithTLSRPT", answer);
            let none = [("smtp_tls_CApath", ""), (POLICY_MAPS, list.as_str())];
            check(&postfix(&[&none[..], authorities].concat()), "sts.example")[0].status
        };
        assert_eq!(status(&[]), Status::Fail);
        for one in [("smtp_tls_CAfile", "/a"), ("smtp_tls_CApath", "/a"), ("tls_append_default_CA", "yes")] {
            assert_eq!(status(&[one]), Status::Ok, "{one:?}");
        }
    }

    #[test]
    fn the_switch_of_the_resolver() {
        assert!(switches_tlsrpt_on("host: x\ndefault_zone:\n  tlsrpt: true # yes\n"));
        assert!(!switches_tlsrpt_on("tlsrpt: true\ndefault_zone:\n  # tlsrpt: true\n  tlsrpt: false\n"));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("f");
        for (text, changed) in [
            ("host: x\n", "host: x\ndefault_zone:\n  tlsrpt: true\n"),
            ("default_zone:\n  tlsrpt: false\n  timeout: 4\n", "default_zone:\n  tlsrpt: true\n  timeout: 4\n"),
        ] {
            fs::write(&file, text).unwrap();
            let command = switch_tlsrpt_on(text).replace(RESOLVER_FILE, file.to_str().unwrap());
            let command = command.replace("systemctl restart", "true");
            assert!(Command::new("sh").args(["-c", &command]).status().unwrap().success(), "{command}");
            assert_eq!(fs::read_to_string(&file).unwrap(), changed);
        }
    }
}
