//! DANE needs a resolver that validates with DNSSEC.

use std::{io, path::Path};

use super::{
    Postfix,
    configuration::{DNS_SUPPORT, LEVEL},
    resolv_conf,
    service::names,
    tls::level,
};
use crate::{dns, finding::Finding, packages, remedy::Remedy};

const CHECK: &str = "dnssec";
const DNSSEC: &str = "dnssec";

pub(super) fn check(postfix: &Postfix) -> Vec<Finding> {
    let resolv_conf = resolv_conf::of_clients(postfix);
    judge(postfix, &resolv_conf, || dns::validates(&resolv_conf))
}

fn judge(postfix: &Postfix, resolv_conf: &Path, validates: impl FnOnce() -> io::Result<bool>) -> Vec<Finding> {
    let clients = postfix.clients();
    let mut findings = Vec::new();
    let without_dns: Vec<_> =
        clients.iter().copied().filter(|client| postfix.of(client, DNS_SUPPORT) == "disabled").collect();
    if !without_dns.is_empty() {
        let message =
            format!("{DNS_SUPPORT} = disabled for {}: Postfix looks up no TLSRPT records", names(&without_dns));
        return vec![Finding::fail("dns", message, Remedy::run(postfix.command_to_set(DNS_SUPPORT, "enabled")))];
    }
    let by_dane: Vec<_> = clients.iter().copied().filter(|client| level(postfix, client).starts_with("dane")).collect();
    let unsupported: Vec<_> =
        by_dane.iter().copied().filter(|client| postfix.of(client, DNS_SUPPORT) != DNSSEC).collect();
    if !unsupported.is_empty() {
        let message = format!(
            "{LEVEL} = {} for {}, but {DNS_SUPPORT} is not {DNSSEC}: Postfix does not use DANE",
            level(postfix, unsupported[0]),
            names(&unsupported)
        );
        findings.push(Finding::fail(CHECK, message, Remedy::run(postfix.command_to_set(DNS_SUPPORT, DNSSEC))));
        return findings;
    }
    let wants = clients.iter().any(|client| postfix.of(client, DNS_SUPPORT) == DNSSEC);
    if !wants {
        return findings;
    }
    let shown = resolv_conf.display();
    findings.push(match validates() {
        Ok(true) => Finding::ok(CHECK, format!("the resolver of {shown} validates with DNSSEC, which DANE needs")),
        Ok(false) => {
            let message = format!(
                "the resolver of {shown} does not validate with DNSSEC (it sets no AD bit for the root), so Postfix uses \
                 no DANE policy"
            );
            let option = postfix.option();
            let remedy = Remedy::run(format!(
                "{} && echo 'nameserver 127.0.0.1' >/etc/resolv.conf && postfix {option}stop && postfix {option}start",
                packages::install("unbound")
            ));
            if by_dane.is_empty() { Finding::warn(CHECK, message, remedy) } else { Finding::fail(CHECK, message, remedy) }
        }
        Err(error) => {
            let message = format!("cannot tell whether the resolver of {shown} validates with DNSSEC: {error}");
            Finding::warn(CHECK, message, dns::no_answer(resolv_conf))
        }
    });
    findings
}

#[cfg(test)]
mod tests {
    use std::{io, path::Path};

    use super::{CHECK, DNS_SUPPORT, LEVEL, judge};
    use crate::{finding::Status, postfix::configuration::tests::postfix};

    fn found(changes: &[(&str, &str)], validates: io::Result<bool>) -> Vec<(Status, &'static str)> {
        let findings = judge(&postfix(changes), Path::new("/etc/resolv.conf"), || validates);
        findings.iter().map(|finding| (finding.status, finding.check)).collect()
    }

    #[test]
    fn dane_needs_a_resolver_that_validates() {
        let dane = [(LEVEL, "dane"), (DNS_SUPPORT, "dnssec")];
        assert_eq!(found(&[], Ok(false)), []);
        assert_eq!(found(&dane, Ok(true)), [(Status::Ok, CHECK)]);
        assert_eq!(found(&dane, Ok(false)), [(Status::Fail, CHECK)]);
        assert_eq!(found(&dane[1..], Ok(false)), [(Status::Warn, CHECK)]);
        assert_eq!(found(&dane, Err(io::ErrorKind::TimedOut.into())), [(Status::Warn, CHECK)]);
    }

    #[test]
    fn dane_needs_dns_in_postfix() {
        assert_eq!(found(&[(LEVEL, "dane")], Ok(true)), [(Status::Fail, CHECK)]);
        assert_eq!(found(&[(DNS_SUPPORT, "disabled")], Ok(true)), [(Status::Fail, "dns")]);
    }
}
