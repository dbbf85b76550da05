//! Whether a destination can take reports: hosts for its mail, addresses for its URL.

use std::{
    net::{IpAddr, SocketAddr},
    time::Instant,
};

use tlsrpt_check::{Finding, Remedy};
use tlsrpt_deliver::{Destination, HttpsUrl, Refused};
use tlsrpt_sendmail::lookups::{self, Found, MailHost};

use super::examiner::{Examiner, after_no_answer, shortened, time_left};

const CHECK: &str = "destination";
/// The most hosts for the mail of a domain that are looked up.
const MOST_HOSTS: usize = 5;
/// The most addresses of a host that are shown or tried.
const MOST_ADDRESSES: usize = 4;
const HTTPS_PORT: u16 = 443;
const SMTP_PORT: u16 = 25;

/// Checks the destinations of a valid record.
pub(super) fn check(examiner: &Examiner, uris: &[&str], end: Instant) -> Vec<Finding> {
    let most = examiner.most_destinations;
    let mut findings: Vec<_> = uris.iter().take(most).flat_map(|uri| one(examiner, uri, end)).collect();
    if uris.len() > most {
        let message = format!("the record has {} destinations; reporters may serve only the first {most}", uris.len());
        findings.push(Finding::warn(CHECK, message, Remedy::words("name fewer")));
    }
    findings
}

fn one(examiner: &Examiner, uri: &str, end: Instant) -> Vec<Finding> {
    let shown = shortened(uri);
    match Destination::parse(uri).and_then(|destination| destination.on_ports(&examiner.ports)) {
        Ok(Destination::Mail(address)) => mail(examiner, &shown, address.domain(), end),
        Ok(Destination::Https(url)) => https(examiner, &shown, &url, end),
        Err(Refused::Port(port)) => {
            let message = format!("{shown}: reporters may not post to port {port}");
            vec![Finding::warn(CHECK, message, Remedy::words(format!("use port {HTTPS_PORT}")))]
        }
        Err(refused) => {
            vec![Finding::fail(CHECK, format!("{shown}: {refused}"), Remedy::words("correct it in the record"))]
        }
    }
}

fn mail(examiner: &Examiner, uri: &str, domain: &str, end: Instant) -> Vec<Finding> {
    let Found { records, name_exists, .. } = match lookups::mail_hosts(&examiner.resolver, domain, time_left(end)) {
        Ok(found) => found,
        Err(error) => return vec![unknown(uri, domain, &error)],
    };
    if !name_exists {
        let message = format!("{uri}: there is no domain {domain}");
        return vec![Finding::fail(CHECK, message, Remedy::words("name an address that takes mail"))];
    }
    if records.iter().any(|host| is_root(&host.name)) {
        let message = format!("{uri}: {domain} takes no mail: it has a null MX record (RFC 7505)");
        return vec![Finding::fail(CHECK, message, Remedy::words("name an address that takes mail"))];
    }
    let without_mx = records.is_empty();
    let hosts = if without_mx { vec![MailHost { preference: 0, name: domain.into() }] } else { records };
    let mut findings = Vec::new();
    let mut working = Vec::new();
    for MailHost { name, .. } in hosts.iter().take(MOST_HOSTS) {
        match lookups::addresses(&examiner.resolver, name, time_left(end)) {
            Ok(found) if found.records.is_empty() => findings.push(without_address(uri, domain, name, without_mx)),
            Ok(found) => working.push((name, found.records)),
            Err(error) => findings.push(unknown(uri, name, &error)),
        }
    }
    if !working.is_empty() {
        let names: Vec<_> = working.iter().map(|(name, addresses)| format!("{name} ({})", list(addresses))).collect();
        let by = if without_mx { "its own address, without an MX record" } else { "its MX records" };
        let message = format!("{uri}: mail for {domain} goes to {}, by {by}", names.join(", "));
        findings.insert(0, Finding::ok(CHECK, message));
    } else if let Some(first) = findings.first_mut().filter(|_| hosts.len() <= MOST_HOSTS) {
        // A failure of DNS may end.
        if findings_are_missing_addresses(first) {
            *first = Finding::fail(
                CHECK,
                first.message.clone(),
                Remedy::words("publish an MX record for a host with an address"),
            );
        }
    }
    if let Some(prober) = &examiner.prober {
        for (name, addresses) in &working {
            let place = permitted(examiner, addresses).first().map(|address| SocketAddr::new(*address, SMTP_PORT));
            findings.push(prober.mail_host(name, place, end));
        }
    }
    findings
}

/// The marks of the sentence in [`without_address`].
const NO_ADDRESS: &str = "has no address";

fn findings_are_missing_addresses(finding: &Finding) -> bool {
    finding.message.contains(NO_ADDRESS)
}

fn without_address(uri: &str, domain: &str, host: &str, without_mx: bool) -> Finding {
    let message = if without_mx {
        format!("{uri}: {domain} has no MX record and {NO_ADDRESS}")
    } else {
        format!("{uri}: {host}, a mail host of {domain}, {NO_ADDRESS}")
    };
    Finding::warn(CHECK, message, Remedy::words("correct the MX records"))
}

fn https(examiner: &Examiner, uri: &str, url: &HttpsUrl, end: Instant) -> Vec<Finding> {
    let (host, port) = host_and_port(url.as_str());
    let addresses = match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(address) => vec![address],
        Err(_) => match lookups::addresses(&examiner.resolver, host, time_left(end)) {
            Ok(found) if found.records.is_empty() => {
                let what = if found.name_exists { "has no address" } else { "does not exist" };
                return vec![Finding::fail(
                    CHECK,
                    format!("{uri}: {host} {what}"),
                    Remedy::words("correct the name of the host"),
                )];
            }
            Ok(found) => found.records,
            Err(error) => return vec![unknown(uri, host, &error)],
        },
    };
    let permitted = permitted(examiner, &addresses);
    if permitted.is_empty() {
        let message = format!("{uri}: {host} has no public address, only {}", list(&addresses));
        return vec![Finding::fail(CHECK, message, Remedy::words("name a host with a public address"))];
    }
    let mut findings = vec![Finding::ok(CHECK, format!("{uri}: {host} has the address {}", list(&permitted)))];
    if let Some(prober) = &examiner.prober {
        let places: Vec<_> = permitted.iter().map(|address| SocketAddr::new(*address, port)).collect();
        findings.push(prober.https(host.trim_matches(['[', ']']), &places, end));
    }
    findings
}

/// The addresses to which reports are sent, at most [`MOST_ADDRESSES`].
fn permitted(examiner: &Examiner, addresses: &[IpAddr]) -> Vec<IpAddr> {
    addresses.iter().copied().filter(|address| examiner.guard.permits(*address)).take(MOST_ADDRESSES).collect()
}

fn unknown(uri: &str, name: &str, error: &std::io::Error) -> Finding {
    Finding::warn(CHECK, format!("{uri}: cannot look up {name}: {error}"), after_no_answer(error))
}

fn is_root(name: &str) -> bool {
    name.is_empty() || name == "."
}

fn list(addresses: &[IpAddr]) -> String {
    let first: Vec<_> = addresses.iter().take(MOST_ADDRESSES).map(ToString::to_string).collect();
    let more = if addresses.len() > MOST_ADDRESSES { ", ..." } else { "" };
    format!("{}{more}", first.join(", "))
}

/// The host and the port of a normal URL.
fn host_and_port(url: &str) -> (&str, u16) {
    let behind = url.strip_prefix("https://").unwrap_or(url);
    let authority = behind.split(['/', '?']).next().unwrap_or_default();
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().unwrap_or(HTTPS_PORT)),
        _ => (authority, HTTPS_PORT),
    }
}

#[cfg(test)]
mod tests {
    use super::host_and_port;

    #[test]
    fn the_host_and_port_of_a_url() {
        let cases = [
            ("https://a.example/x:1", ("a.example", 443)),
            ("https://a.example:8443/", ("a.example", 8443)),
            ("https://[2001:db8::1]/", ("[2001:db8::1]", 443)),
            ("https://[2001:db8::1]:8443/?x", ("[2001:db8::1]", 8443)),
        ];
        for (url, expected) in cases {
            assert_eq!(host_and_port(url), expected, "{url}");
        }
    }
}
