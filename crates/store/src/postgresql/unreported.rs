//! What domains have on a day that is in no report yet, with a bound on the memory that their failures take.

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;

use super::{
    columns::{count, failure_counts, limit_of, number},
    failure::Failed,
    link::Link,
    reading::policy_counts,
};
use crate::{FailureCounts, FailureLimit, PolicyCounts, Unreported, day};

/// The number and the name of a domain.
pub(super) type Domain = (i64, String);

/// The counts of some domains on a day, without their failures, which are read for one domain at a time.
pub(super) struct OfDay {
    day: Date,
    /// By domain: the record and the policy with their counts.
    policies: HashMap<i64, Vec<([i64; 2], PolicyCounts)>>,
    with_failures: HashSet<i64>,
    /// The numbers of their next reports, for those that have reports.
    numbers: HashMap<String, u32>,
    report_mails: HashMap<String, u64>,
}

impl OfDay {
    pub(super) fn read(link: &mut Link, day: Date, domains: &[Domain]) -> Result<Self, Failed> {
        let (ids, names): (Vec<i64>, Vec<&str>) = domains.iter().map(|(id, name)| (*id, name.as_str())).unzip();
        let day_number = day::to_number(day);
        let mut policies = HashMap::<_, Vec<_>>::new();
        let sessions = link.rows(
            "SELECT record.content, policy.content, succeeded - reported_succeeded, failed - reported_failed, domain, record, \
             policy FROM sessions JOIN record ON record = record.id JOIN policy ON policy = policy.id \
             WHERE day = $1 AND domain = ANY ($2) ORDER BY domain, record, policy",
            &[&day_number, &ids],
        )?;
        for row in &sessions {
            let of = [row.try_get(5)?, row.try_get(6)?];
            policies.entry(row.try_get(4)?).or_default().push((of, policy_counts(row, 0)?));
        }
        let failing = link.rows(
            "SELECT DISTINCT domain FROM failures WHERE day = $1 AND domain = ANY ($2) AND times > reported",
            &[&day_number, &ids],
        )?;
        let failing = failing.iter().map(|row| Ok(row.try_get(0)?)).collect::<Result<_, Failed>>()?;
        let numbers = link.rows(
            "SELECT domain, max(number) + 1 FROM report WHERE day = $1 AND domain = ANY ($2) GROUP BY domain",
            &[&day_number, &names],
        )?;
        let next = |row: &tokio_postgres::Row| {
            let number: i32 = row.try_get(1)?;
            Ok((row.try_get(0)?, number.unsigned_abs()))
        };
        let numbers = numbers.iter().map(next).collect::<Result<_, Failed>>()?;
        Ok(Self { day, policies, with_failures: failing, numbers, report_mails: report_mails(link, day, &names)? })
    }

    /// The counts of one of the domains.
    pub(super) fn of_domain(
        &mut self,
        link: &mut Link,
        (id, name): &Domain,
        limit: FailureLimit,
    ) -> Result<Unreported, Failed> {
        let mut policies = self.policies.remove(id).unwrap_or_default();
        if self.with_failures.contains(id) {
            let mut failures = failures(link, self.day, *id, limit)?;
            for (of, counts) in &mut policies {
                counts.failures = failures.remove(of).unwrap_or_default();
            }
        }
        let policies = policies.into_iter().map(|(_, counts)| counts);
        let policies = policies.filter(|counts| counts.succeeded + counts.failed > 0 || !counts.failures.is_empty());
        Ok(Unreported {
            domain: name.clone(),
            number: self.numbers.get(name).copied().unwrap_or(1),
            policies: policies.collect(),
            report_mails: self.report_mails.get(name).copied().unwrap_or_default(),
        })
    }
}

/// The failures of a domain by record and policy, the most frequent first, and behind them those for which there is no
/// room, added up by their code. The code is taken from the text, whose values are strings but for this one: the server
/// refuses to read JSON in which a string has a NUL.
fn failures(
    link: &mut Link,
    day: Date,
    domain: i64,
    limit: FailureLimit,
) -> Result<HashMap<[i64; 2], Vec<FailureCounts>>, Failed> {
    let rows = link.rows(
        "WITH found AS (SELECT record, policy, failure, times - reported AS times, content, \
                row_number() OVER most_frequent AS number, \
                sum(coalesce(octet_length(content), 0)) OVER most_frequent AS bytes \
            FROM failures JOIN failure ON failure = id WHERE day = $1 AND domain = $2 AND times > reported \
            WINDOW most_frequent AS (ORDER BY times - reported DESC, record, policy, failure)) \
         SELECT times, content, record, policy, 0 AS place FROM found WHERE number <= $3 AND bytes <= $4 \
         UNION ALL \
         SELECT sum(times)::bigint, CASE WHEN code IS NOT NULL THEN '{\"c\":' || code || '}' END, record, policy, 1 \
            FROM (SELECT *, substring(content FROM '[{,]\"c\":(-?[0-9]+)') AS code FROM found WHERE NOT (number <= $3 AND bytes <= $4)) AS others \
            GROUP BY record, policy, code \
         ORDER BY 5, 1 DESC",
        &[&day::to_number(day), &domain, &limit_of(limit.number), &(number(limit.bytes))],
    )?;
    let mut failures = HashMap::<_, Vec<_>>::new();
    for row in &rows {
        let of = [row.try_get(2)?, row.try_get(3)?];
        failures.entry(of).or_default().push(failure_counts(row, 0)?);
    }
    Ok(failures)
}

/// Report mails that servers of each domain accepted on that day. Each of them was a session with the domain.
fn report_mails(link: &mut Link, day: Date, domains: &[&str]) -> Result<HashMap<String, u64>, Failed> {
    let (first, end) = day::seconds(day);
    let rows = link.rows(
        "SELECT mail_domain, count(*) FROM delivery WHERE mail_domain = ANY ($1) AND state = 'delivered' \
         AND last_attempt >= $2 AND last_attempt < $3 GROUP BY mail_domain",
        &[&domains, &first, &end],
    )?;
    rows.iter().map(|row| Ok((row.try_get(0)?, count(row, 1)?))).collect()
}
