//! What a domain has on a day that is in no report yet, with a bound on the memory that its failures take.

use std::collections::HashMap;

use jiff::civil::Date;
use rusqlite::{Connection, OptionalExtension, Row, Statement, params};
use tlsrpt_format::datagram::FailureDetails;

use super::reading::{failure_counts, policy_counts};
use crate::{FailureCounts, FailureLimit, PolicyCounts, Unreported, day, file::count};

/// The counts of a domain that are in no report, and the number of the domain.
pub(super) fn unreported(
    connection: &Connection,
    day: Date,
    name: &str,
    limit: FailureLimit,
) -> rusqlite::Result<Option<(i64, Unreported)>> {
    let mut domain = connection.prepare_cached(
        "SELECT id FROM domain JOIN domain_of_day ON domain = id WHERE name = ?1 AND day = ?2 AND events > reported",
    )?;
    let day_number = day::to_number(day);
    let Some(domain) = domain.query_row(params![name, day_number], |row| row.get::<_, i64>(0)).optional()? else {
        return Ok(None);
    };
    let number = next_number(connection, day, name)?;
    let report_mails = report_mails(connection, day, name)?;
    let policies = policies(connection, day_number, domain, limit)?;
    Ok(Some((domain, Unreported { domain: name.to_owned(), number, policies, report_mails })))
}

/// The number of the next report about a domain and a day.
pub(super) fn next_number(connection: &Connection, day: Date, domain: &str) -> rusqlite::Result<u32> {
    let mut number =
        connection.prepare_cached("SELECT ifnull(max(number), 0) + 1 FROM report WHERE day = ?1 AND domain = ?2")?;
    number.query_row(params![day::to_number(day), domain], |row| row.get(0))
}

fn policies(
    connection: &Connection,
    day: i64,
    domain: i64,
    limit: FailureLimit,
) -> rusqlite::Result<Vec<PolicyCounts>> {
    let mut sessions = connection.prepare_cached(
        "SELECT record.content, policy.content, succeeded - reported_succeeded, failed - reported_failed, record, policy \
         FROM sessions JOIN record ON record = record.id JOIN policy ON policy = policy.id \
         WHERE day = ?1 AND domain = ?2 ORDER BY record, policy",
    )?;
    let mut failures = connection.prepare_cached(
        "SELECT times - reported, content, ifnull(octet_length(content), 0) FROM failures JOIN failure ON failure = id \
         WHERE day = ?1 AND domain = ?2 AND record = ?3 AND policy = ?4 AND times > reported ORDER BY 1 DESC, id",
    )?;
    let mut room = Room::of(connection, day, domain, limit)?;
    let mut policies = Vec::new();
    let mut rows = sessions.query([day, domain])?;
    while let Some(row) = rows.next()? {
        let (record, policy): (i64, i64) = (row.get(4)?, row.get(5)?);
        let found = of_policy(&mut failures, [day, domain, record, policy], &mut room)?;
        let counts = PolicyCounts { failures: found, ..policy_counts(row)? };
        if counts.succeeded + counts.failed > 0 || !counts.failures.is_empty() {
            policies.push(counts);
        }
    }
    Ok(policies)
}

/// The failures under a policy, the most frequent first, and behind them those for which there is no room, added up.
fn of_policy(failures: &mut Statement<'_>, of: [i64; 4], room: &mut Room) -> rusqlite::Result<Vec<FailureCounts>> {
    let mut found = Vec::new();
    let mut others: HashMap<Option<Result<&str, i32>>, FailureCounts> = HashMap::new();
    let mut rows = failures.query(of)?;
    while let Some(row) = rows.next()? {
        let mut counts = failure_counts(row)?;
        if room.takes(row)? {
            found.push(counts);
            continue;
        }
        let kind = counts.failure.as_ref().map(tlsrpt_format::datagram::Failure::result_type);
        match others.get_mut(&kind) {
            Some(sum) => sum.times += counts.times,
            None => {
                if let Some(failure) = &mut counts.failure {
                    failure.details = FailureDetails::default();
                }
                others.insert(kind, counts);
            }
        }
    }
    let mut others: Vec<_> = others.into_values().collect();
    others.sort_by_key(|counts| std::cmp::Reverse(counts.times));
    found.append(&mut others);
    Ok(found)
}

/// The room that is left for failures one by one.
#[derive(Debug)]
struct Room {
    /// Failures that are more frequent than this are taken.
    most_frequent: u64,
    /// How many of those that are as frequent.
    at_limit: usize,
    bytes: u64,
}

impl Room {
    fn of(connection: &Connection, day: i64, domain: i64, limit: FailureLimit) -> rusqlite::Result<Self> {
        let mut all = connection.prepare_cached(
            "SELECT times - reported, ifnull(octet_length(content), 0) FROM failures JOIN failure ON failure = id \
             WHERE day = ?1 AND domain = ?2 AND times > reported ORDER BY 1 DESC",
        )?;
        let mut room = Self { most_frequent: 0, at_limit: 0, bytes: limit.bytes };
        let (mut number, mut bytes, mut as_frequent) = (0, 0_u64, (0, 0));
        let mut rows = all.query([day, domain])?;
        while let Some(row) = rows.next()? {
            let times = count(row, 0)?;
            as_frequent = if as_frequent.0 == times { (times, as_frequent.1 + 1) } else { (times, 1) };
            bytes = bytes.saturating_add(count(row, 1)?);
            if number == limit.number || bytes > limit.bytes {
                (room.most_frequent, room.at_limit) = (times, as_frequent.1 - 1);
                break;
            }
            number += 1;
        }
        Ok(room)
    }

    /// Whether there is room for this failure, which takes it.
    fn takes(&mut self, row: &Row<'_>) -> rusqlite::Result<bool> {
        let (times, bytes) = (count(row, 0)?, count(row, 2)?);
        let is_at_limit = times == self.most_frequent;
        if times < self.most_frequent || is_at_limit && self.at_limit == 0 || bytes > self.bytes {
            return Ok(false);
        }
        self.at_limit -= usize::from(is_at_limit);
        self.bytes -= bytes;
        Ok(true)
    }
}

/// Report mails that servers of the domain accepted on that day. Each of them was a session with the domain.
fn report_mails(connection: &Connection, day: Date, domain: &str) -> rusqlite::Result<u64> {
    let (first, end) = day::seconds(day);
    let mut mails = connection.prepare_cached(
        "SELECT count(*) FROM delivery WHERE mail_domain = ?1 AND state = 'delivered' AND last_attempt >= ?2 AND last_attempt < ?3",
    )?;
    mails.query_row(params![domain, first, end], |row| count(row, 0))
}
