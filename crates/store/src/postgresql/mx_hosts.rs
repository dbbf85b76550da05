//! The MX hosts that wait for a report of their own, and their shares in the reports of domains.

use std::collections::BTreeSet;

use jiff::{Timestamp, civil::Date};

use super::{
    columns::{date, limit_of},
    failure::Failed,
    link::Link,
};
use crate::{
    MxHostShare, day,
    share_text::{BYTES_AT_ONCE, SHARES_AT_ONCE, from_json, to_json},
};

/// How long a reporter has for the lookups of the hosts that it takes. Then another takes them. In seconds.
const LOOKUPS: i64 = 10 * 60;

/// Keeps shares. `hosts` gets their hosts.
pub(super) fn keep(
    link: &mut Link,
    day: Date,
    shares: &[MxHostShare],
    hosts: &mut BTreeSet<String>,
) -> Result<(), Failed> {
    for share in shares {
        link.execute(
            "INSERT INTO mx_host_share (day, host, content) VALUES ($1, $2, $3)",
            &[&day::to_number(day), &share.host, &to_json(share)],
        )?;
        hosts.insert(share.host.clone());
    }
    Ok(())
}

/// Makes hosts wait for a report. They are in order, so that two reporters that do this do not wait for each other.
pub(super) fn are_due(link: &mut Link, day: Date, hosts: &BTreeSet<String>) -> Result<(), Failed> {
    if hosts.is_empty() {
        return Ok(());
    }
    let hosts: Vec<_> = hosts.iter().map(String::as_str).collect();
    link.execute(
        "INSERT INTO mx_host AS m (day, host, next_lookup) \
         SELECT $1, b.host, server_time() FROM unnest($2::text[]) WITH ORDINALITY AS b (host, n) ORDER BY n \
         ON CONFLICT (day, host) DO UPDATE SET next_lookup = least(m.next_lookup, excluded.next_lookup)",
        &[&day::to_number(day), &hosts],
    )?;
    Ok(())
}

/// Takes hosts whose record is to be looked up now, so that no other reporter does.
pub(super) fn take(
    link: &mut Link,
    now: Timestamp,
    day: Option<Date>,
    limit: usize,
) -> Result<Vec<(Date, String)>, Failed> {
    let rows = link.rows(
        "WITH due AS MATERIALIZED (SELECT m.day, m.host, m.next_lookup FROM mx_host AS m \
            WHERE m.next_lookup <= $1 AND ($2::bigint IS NULL OR m.day = $2) \
            ORDER BY m.next_lookup, m.day, m.host LIMIT $3 FOR UPDATE SKIP LOCKED) \
         UPDATE mx_host AS m SET next_lookup = server_time() + $4 FROM due \
         WHERE m.day = due.day AND m.host = due.host RETURNING m.day, m.host, due.next_lookup",
        &[&now.as_second(), &day.map(day::to_number), &limit_of(limit), &LOOKUPS],
    )?;
    let mut taken = Vec::new();
    for row in &rows {
        taken.push((row.try_get::<_, i64>(2)?, date(row, 0)?, row.try_get::<_, String>(1)?));
    }
    taken.sort();
    Ok(taken.into_iter().map(|(_, day, host)| (day, host)).collect())
}

/// The shares of a host, and the number of the last one.
pub(super) fn shares(link: &mut Link, day: i64, host: &str) -> Result<(Vec<MxHostShare>, i64), Failed> {
    let rows = link.rows(
        "SELECT id, content FROM (SELECT id, content, \
            sum(octet_length(content)) OVER (ORDER BY id) - octet_length(content) AS bytes_before \
            FROM (SELECT id, content FROM mx_host_share WHERE day = $1 AND host = $2 ORDER BY id LIMIT $3) AS first) AS s \
         WHERE bytes_before <= $4 ORDER BY id",
        &[&day, &host, &SHARES_AT_ONCE, &limit_of(BYTES_AT_ONCE)],
    )?;
    let (mut shares, mut last) = (Vec::new(), 0);
    for row in &rows {
        last = row.try_get(0)?;
        shares.push(from_json(host, row.try_get(1)?).ok_or_else(|| Failed::unreadable("content"))?);
    }
    Ok((shares, last))
}
