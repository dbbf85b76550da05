//! Programs that look up MTA-STS policies for Postfix, and whether they also say what reports need.

use std::path::Path;

use super::{Postfix, configuration::POLICY_MAPS};
use crate::{bounded, finding::Finding, socket_map::SocketMap, table};

const CHECK: &str = "mta-sts";
/// The names of the maps of postfix-tlspol, without and with the attributes of TLSRPT.
const WITHOUT: &str = "QUERY";
const WITH: &str = "QUERYwithTLSRPT";
/// The attribute that answers with a policy must have.
const ATTRIBUTE: &str = "policy_type=";
/// The configuration of postfix-mta-sts-resolver.
const RESOLVER_FILE: &str = "/etc/mta-sts-daemon.yml";

pub(super) fn check(postfix: &Postfix, domain: &str) -> Vec<Finding> {
    let mut lists: Vec<_> = postfix.clients().into_iter().map(|client| postfix.of(client, POLICY_MAPS)).collect();
    lists.sort_unstable();
    lists.dedup();
    let tables = lists.into_iter().flat_map(table::items);
    tables.filter_map(|table| Some(of_map(postfix, table, &SocketMap::read(table)?, domain))).collect()
}

fn of_map(postfix: &Postfix, table: &str, map: &SocketMap<'_>, domain: &str) -> Finding {
    let consequence = "so MTA-STS policies are missing in the reports";
    if map.name == WITHOUT {
        let message = format!(
            "{POLICY_MAPS} asks postfix-tlspol for {WITHOUT}, whose answers lack the attributes of TLSRPT, {consequence}"
        );
        let changed = format!("{}{WITH}", table.strip_suffix(WITHOUT).unwrap_or(table));
        let value = postfix.setting(POLICY_MAPS).replace(table, &changed);
        return Finding::warn(CHECK, message, postfix.command_to_set(POLICY_MAPS, &value));
    }
    let answer = match map.ask(domain, &postfix.path("queue_directory")) {
        None => return Finding::ok(CHECK, format!("{table} is on another host and was not asked")),
        Some(Err(error)) => {
            let message = format!("{table} in {POLICY_MAPS} gives no answer for {domain}: {error}");
            return Finding::warn(
                CHECK,
                message,
                format!("systemctl status postfix-tlspol postfix-mta-sts-resolver; postmap -q {domain} {table}"),
            );
        }
        Some(Ok(answer)) => answer,
    };
    let without = match answer.strip_prefix("OK ") {
        Some(policy) => !policy.contains(ATTRIBUTE),
        None if map.name == WITH => false,
        // No policy for this domain: the configuration says whether others would have the attributes.
        None => bounded::read_text(Path::new(RESOLVER_FILE)).is_ok_and(|text| !switches_tlsrpt_on(&text)),
    };
    if without {
        let message = format!(
            "the answers of {table} in {POLICY_MAPS} lack the attributes of TLSRPT ({ATTRIBUTE}...), {consequence}"
        );
        let remedy =
            format!("add the line \"tlsrpt: true\" to {RESOLVER_FILE}, and systemctl restart postfix-mta-sts-resolver");
        return Finding::warn(CHECK, message, remedy);
    }
    match answer.strip_prefix("OK ") {
        Some(_) => Finding::ok(CHECK, format!("the answer of {table} for {domain} has the attributes of TLSRPT")),
        None => Finding::ok(CHECK, format!("{table} answers {:.40} for {domain}", answer)),
    }
}

/// Whether a configuration in YAML has `tlsrpt: true`.
fn switches_tlsrpt_on(text: &str) -> bool {
    let values = text.lines().filter_map(|line| line.trim().strip_prefix("tlsrpt:"));
    values.map(|value| value.split('#').next().unwrap_or("").trim()).any(|value| ["true", "yes", "on"].contains(&value))
}

#[cfg(test)]
mod tests {
    use super::{POLICY_MAPS, check, switches_tlsrpt_on};
    use crate::{
        finding::{Finding, Status},
        postfix::configuration::tests::postfix,
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
            finding.remedy.as_deref(),
            Some(
                "postconf -e 'smtp_tls_policy_maps=hash:/a, socketmap:inet:127.0.0.1:8642:QUERYwithTLSRPT' && postfix reload"
            )
        );
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
    fn the_switch_of_the_resolver() {
        assert!(switches_tlsrpt_on("host: x\ntlsrpt: true # yes\n"));
        assert!(!switches_tlsrpt_on("# tlsrpt: true\ntlsrpt: false\n"));
    }
}
