//! What tlsrpt-fetcher answers to tlsrpt-reportd, out of our store.
//!
//! tlsrpt-reportd starts a process for the list of the domains of a day, and one for each domain. A list has three lines before the
//! domains, and a dot behind them: the version of the protocol, the time in UTC, and the last day that is complete. tlsrpt-reportd
//! asks again later as long as that day is not the one that it wants. At its start it asks for the list of 1999-01-01.

use std::io::Write;

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use serde_json::{Map, Value, json};
use tlsrpt_format::datagram::FailureMember;
use tlsrpt_store::{FailureCounts, OTHER_DOMAINS, PolicyCounts, Reader};

use crate::{error::Error, python_json};

const HEADING: &str = "TLSRPT FETCHER v1devel-c domain list";
const END: &str = ".";
/// How many domains are read at once.
const DOMAINS_AT_ONCE: usize = 1000;
/// How long after midnight a day is complete: events that are still in the queue of the collector belong to it. tlsrpt-reportd
/// expects no more (`max_collectd_timeout`), and gives a day up after some attempts.
const SETTLING: SignedDuration = SignedDuration::from_secs(10);

/// Writes the domains of a day. Returns those that the protocol cannot name, and their sessions.
///
/// # Errors
///
/// [`Error::Twice`] if this host reports that day itself.
pub fn domains(
    store: &mut dyn Reader,
    day: Date,
    now: Timestamp,
    out: &mut dyn Write,
) -> Result<Vec<(String, u64)>, Error> {
    refuse_second_reporter(store, day)?;
    let complete = last_complete(now);
    let is_there = day <= complete && store.days()?.iter().any(|counts| counts.day == day);
    writeln!(out, "{HEADING}\n{}", now.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S"))?;
    writeln!(out, "{}", if is_there { day } else { complete })?;
    let unnamed = if is_there { names(store, day, out)? } else { Vec::new() };
    writeln!(out, "{END}")?;
    Ok(unnamed)
}

/// Writes the names of the domains of a day, one on each line. Returns the others, and their sessions.
fn names(store: &mut dyn Reader, day: Date, out: &mut dyn Write) -> Result<Vec<(String, u64)>, Error> {
    let (mut unnamed, mut after) = (Vec::new(), String::new());
    loop {
        let found = store.domains(day, &after, DOMAINS_AT_ONCE)?;
        let Some(last) = found.last() else { return Ok(unnamed) };
        after.clone_from(&last.domain);
        for counts in found {
            if fits_a_line(&counts.domain) {
                writeln!(out, "{}", counts.domain)?;
            } else {
                unnamed.push((counts.domain, counts.events));
            }
        }
    }
}

/// Writes the records, policies, sessions and failures of a domain on a day. Returns the sessions under policies over the limit of
/// the collector, whose record is not known: they are left out.
///
/// # Errors
///
/// [`Error::Twice`] if this host reports that day itself.
pub fn domain(store: &mut dyn Reader, day: Date, name: &str, out: &mut dyn Write) -> Result<u64, Error> {
    refuse_second_reporter(store, day)?;
    let (mut records, mut without_record) = (Map::new(), 0);
    for PolicyCounts { record, policy, succeeded, failed, failures } in store.policies(day, name)? {
        let Some(policy) = policy else {
            without_record += succeeded + failed;
            continue;
        };
        let counts = json!({
            "cntrtotal": succeeded + failed,
            "cntrfailure": failed,
            "failures": failures.iter().filter_map(failure).collect::<Map<_, _>>(),
        });
        let of_record = records.entry(record).or_insert_with(|| Value::Object(Map::new()));
        of_record[python_json::line(&as_sent(&policy.to_json(), &POLICY_MEMBERS))] = counts;
    }
    writeln!(out, "{}", python_json::indented(&json!({"d": name, "policies": records})))?;
    Ok(without_record)
}

/// The last day that is complete.
fn last_complete(now: Timestamp) -> Date {
    let settled = now.checked_sub(SETTLING).unwrap_or(now).to_zoned(TimeZone::UTC).date();
    settled.yesterday().unwrap_or(settled)
}

fn refuse_second_reporter(store: &mut dyn Reader, day: Date) -> Result<(), Error> {
    if store.has_reporter()? {
        let text = "tlsrpt deliver or tlsrpt serve reports from this store; stop and disable it, or take this host out of the \
                    fetchers of tlsrpt-reportd: both together would send each report twice";
        return Err(Error::Twice(text.into()));
    }
    let reports = store.report_count(day)?;
    if reports > 0 {
        let text = format!(
            "tlsrpt deliver has made {reports} reports about {day} from this store; tlsrpt-reportd would report the same again"
        );
        return Err(Error::Twice(text));
    }
    Ok(())
}

/// Whether tlsrpt-reportd reads a line as this domain.
fn fits_a_line(domain: &str) -> bool {
    let is_plain = !domain.is_empty() && domain != END && domain.trim() == domain && !domain.starts_with('-');
    is_plain && domain != OTHER_DOMAINS && !domain.chars().any(char::is_control)
}

/// The members of a policy in the order of the datagram.
const POLICY_MEMBERS: [&str; 4] = ["policy-type", "policy-domain", "policy-string", "mx-host"];

/// A failure and its number. None if it is over the limit of the collector: then its sessions count without details.
fn failure(FailureCounts { failure, times }: &FailureCounts) -> Option<(String, Value)> {
    let mut order = vec!["c"];
    order.extend(FailureMember::ALL.iter().map(|member| member.key()));
    failure.as_ref().map(|failure| (python_json::line(&as_sent(&failure.to_json(), &order)), (*times).into()))
}

/// The members in the order in which libtlsrpt sends them, in which tlsrpt-collectd keeps them.
fn as_sent(json: &str, order: &[&str]) -> Value {
    let mut members = match serde_json::from_str(json) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    };
    let mut sorted: Map<_, _> =
        order.iter().filter_map(|name| Some(((*name).to_owned(), members.shift_remove(*name)?))).collect();
    sorted.append(&mut members);
    Value::Object(sorted)
}
