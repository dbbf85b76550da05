//! The shares of MX hosts in the reports of domains, in the database.

use jiff::{Timestamp, civil::Date};
use rusqlite::{Connection, Transaction, params, types::Type};
use serde_json::{Value, json};
use tlsrpt_format::datagram::{Failure, PolicyDescription};

use super::{columns::unreadable, day};
use crate::{FailureCounts, MxHostShare, PolicyCounts};

/// The most domains in one report of a host. Further domains wait for its next report.
pub(super) const SHARES_AT_ONCE: i64 = 10_000;
/// The same for the bytes of what is said about them: no further domain is taken beyond these.
const BYTES_AT_ONCE: usize = 2 << 20;

pub(super) fn keep(
    transaction: &Transaction<'_>,
    day: Date,
    shares: &[MxHostShare],
    now: Timestamp,
) -> rusqlite::Result<()> {
    let mut insert = transaction
        .prepare_cached("INSERT INTO mx_host_share (day, host, content, next_lookup) VALUES (?1, ?2, ?3, ?4)")?;
    shares.iter().try_for_each(|share| {
        insert.execute(params![day::to_number(day), share.host, to_json(share), now.as_second()]).map(drop)
    })
}

/// The shares of a host, and the number of the last one.
pub(super) fn of_host(connection: &Connection, day: Date, host: &str) -> rusqlite::Result<(Vec<MxHostShare>, i64)> {
    let mut query = connection
        .prepare_cached("SELECT id, content FROM mx_host_share WHERE day = ?1 AND host = ?2 ORDER BY id LIMIT ?3")?;
    let mut rows = query.query(params![day::to_number(day), host, SHARES_AT_ONCE])?;
    let (mut shares, mut last, mut bytes) = (Vec::new(), 0, 0);
    while let Some(row) = rows.next()? {
        last = row.get(0)?;
        let content: String = row.get(1)?;
        bytes += content.len();
        shares.push(from_json(host, &content).ok_or_else(|| unreadable(1, Type::Text))?);
        if bytes > BYTES_AT_ONCE {
            break;
        }
    }
    Ok((shares, last))
}

pub(super) fn remove(connection: &Connection, day: Date, host: &str, last: i64) -> rusqlite::Result<()> {
    let mut remove =
        connection.prepare_cached("DELETE FROM mx_host_share WHERE day = ?1 AND host = ?2 AND id <= ?3")?;
    remove.execute(params![day::to_number(day), host, last]).map(drop)
}

fn to_json(MxHostShare { domain, destinations, policies, .. }: &MxHostShare) -> String {
    let policy = |counts: &PolicyCounts| {
        let failures: Vec<_> = counts
            .failures
            .iter()
            .map(|FailureCounts { failure, times }| json!([failure.as_ref().map(Failure::to_json), times]))
            .collect();
        json!({
            "policy": counts.policy.as_ref().map(PolicyDescription::to_json),
            "succeeded": counts.succeeded,
            "failed": counts.failed,
            "failures": failures,
        })
    };
    let policies: Vec<_> = policies.iter().map(policy).collect();
    json!({"domain": domain, "destinations": destinations, "policies": policies}).to_string()
}

fn from_json(host: &str, text: &str) -> Option<MxHostShare> {
    let value: Value = serde_json::from_str(text).ok()?;
    let destinations = value["destinations"].as_array()?.iter().map(|to| to.as_str().map(str::to_owned));
    let policies = value["policies"].as_array()?.iter().map(policy);
    Some(MxHostShare {
        host: host.into(),
        domain: value["domain"].as_str()?.into(),
        destinations: destinations.collect::<Option<_>>()?,
        policies: policies.collect::<Option<_>>()?,
    })
}

fn policy(value: &Value) -> Option<PolicyCounts> {
    let failure = |value: &Value| {
        let failure = match &value[0] {
            Value::Null => None,
            text => Some(Failure::from_json(text.as_str()?).ok()?),
        };
        Some(FailureCounts { failure, times: value[1].as_u64()? })
    };
    let policy = match &value["policy"] {
        Value::Null => None,
        text => Some(PolicyDescription::from_json(text.as_str()?).ok()?),
    };
    Some(PolicyCounts {
        record: String::new(),
        policy,
        succeeded: value["succeeded"].as_u64()?,
        failed: value["failed"].as_u64()?,
        failures: value["failures"].as_array()?.iter().map(failure).collect::<Option<_>>()?,
    })
}
