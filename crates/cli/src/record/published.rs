//! What DNS has at the name of a TLSRPT record, and at the names where it is published by mistake.

use std::time::Instant;

use tlsrpt_check::{Finding, Remedy};
use tlsrpt_sendmail::{
    lookups::{self, Found},
    records::TLSRPT_LABELS as LABELS,
};

use super::examiner::{Examined, Examiner, after_no_answer, shortened, time_left};

/// How a record begins for which reporters look.
const BEGINNING: &str = "v=TLSRPTv1;";

/// The domain of a name that is given with the labels of the record, or with the dot of the root.
pub(crate) fn domain(name: &str) -> &str {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.strip_prefix(LABELS).unwrap_or(name)
}

/// Looks up the record.
pub(super) fn look_up(examiner: &Examiner, given: &str, end: Instant) -> Examined {
    let domain = domain(given);
    let name = format!("{LABELS}{domain}");
    let found = match lookups::texts(&examiner.resolver, &name, time_left(end)) {
        Ok(found) => found,
        Err(error) => {
            let finding = Finding::fail("dns", format!("{name}: {error}"), after_no_answer(&error));
            return Examined { text: None, findings: vec![finding] };
        }
    };
    let mut findings = Vec::new();
    if let Some(target) = &found.alias_of {
        findings.push(Finding::ok("alias", format!("{name} is an alias of {target}")));
    }
    let texts: Vec<_> = found.records.iter().map(|text| String::from_utf8_lossy(text).into_owned()).collect();
    let records: Vec<_> = texts.iter().filter(|text| text.starts_with(BEGINNING)).collect();
    let text = match records[..] {
        [] => texts.iter().find(|text| is_like_record(text)),
        [one] => Some(one),
        _ => {
            findings.push(several(&name, &records));
            return Examined { text: None, findings };
        }
    };
    if text.is_none() {
        findings.push(missing(&name, domain, &found));
        findings.extend(elsewhere(examiner, domain, end));
    }
    Examined { text: text.cloned(), findings }
}

fn is_like_record(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    lower.contains("tlsrpt") || lower.contains("rua=")
}

fn several(name: &str, records: &[&String]) -> Finding {
    let count = records.len();
    let first: Vec<_> = records.iter().take(3).map(|text| shortened(text)).collect();
    let message = format!("{name} has {count} TLSRPT records, so reporters ignore all: {}", first.join(" and "));
    Finding::fail("dns", message, Remedy::words("keep one, with all destinations: rua=URI,URI"))
}

fn missing(name: &str, domain: &str, found: &Found<Vec<u8>>) -> Finding {
    let message = match (found.name_exists, found.records.len()) {
        (false, _) => format!("there is no name {name}, so {domain} gets no reports"),
        (true, 0) => format!("{name} has no TXT record, so {domain} gets no reports"),
        (true, others) => format!("{name} has {others} TXT records, but none is a TLSRPT record"),
    };
    let remedy = format!("publish a TXT record at {name}: v=TLSRPTv1; rua=mailto:tls-reports@{domain}");
    Finding::fail("dns", message, Remedy::words(remedy))
}

/// Finds the record at the names where people and web forms put it by mistake.
fn elsewhere(examiner: &Examiner, domain: &str, end: Instant) -> Vec<Finding> {
    let names = [
        domain.to_owned(),
        format!("_smtp-tlsrpt._tls.{domain}"),
        format!("_tls.{domain}"),
        format!("{LABELS}{domain}.{domain}"),
    ];
    let has_record = |name: &String| {
        let found = lookups::texts(&examiner.resolver, name, time_left(end)).ok()?;
        let is_record = |text: &Vec<u8>| String::from_utf8_lossy(text).to_ascii_lowercase().contains("v=tlsrptv1");
        found.records.iter().any(is_record).then(|| name.clone())
    };
    let found = |name: String| {
        let message = format!("there is a TLSRPT record at {name}, where no reporter looks");
        Finding::fail("place", message, Remedy::words(format!("move it to {LABELS}{domain}")))
    };
    names.iter().filter_map(has_record).map(found).collect()
}
