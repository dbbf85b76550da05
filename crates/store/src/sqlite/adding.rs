//! Adds a batch in one transaction.

use jiff::civil::Date;
use rusqlite::{CachedStatement, Connection, Params, Transaction, TransactionBehavior, named_params, params};
use tlsrpt_format::datagram::{Event, Failure, Policy, normalized_domain};

use super::texts::{Found, Kind, Texts};
use crate::{
    Added, Batch, Limits, day,
    file::{count, number},
    policy_text::text_of,
};

/// The row for everything beyond a limit.
pub(super) const OVER_LIMIT: i64 = 0;

/// The limits while the store has its largest size.
const NOTHING_NEW: Limits = Limits { domains: 0, policies: 0, failures: 0, size: 0 };

/// Adds the whole batch; after an error, the store is unchanged.
pub(crate) fn add(
    connection: &mut Connection,
    texts: &mut Texts,
    limits: &Limits,
    batch: &Batch,
) -> rusqlite::Result<Added> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if !remember(&transaction, batch)? {
        return Ok(Added { before: true, ..Added::default() });
    }
    texts.begin(&transaction)?;
    let is_full = size(&transaction)? > limits.size;
    let limits = if is_full { NOTHING_NEW } else { *limits };
    let mut adding = Adding::begin(&transaction, texts, limits, batch.day)?;
    adding.added.is_full = is_full;
    for counted in &batch.events {
        adding.event(&counted.event, number(counted.times))?;
    }
    for (reason, datagrams) in &batch.invalid {
        adding.invalid(reason, *datagrams)?;
    }
    adding.totals.dropped = number(batch.dropped);
    let last_event = batch.last_event.map(|at| at.as_second());
    let added = adding.end(last_event)?;
    transaction.commit()?;
    Ok(added)
}

/// The bytes in use, without free pages, which are used again.
pub(super) fn size(transaction: &Transaction<'_>) -> rusqlite::Result<u64> {
    let mut size = transaction.prepare_cached(
        "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size",
    )?;
    size.query_row([], |row| count(row, 0))
}

/// Keeps the identifier of the batch. Returns whether the batch is new.
fn remember(transaction: &Transaction<'_>, batch: &Batch) -> rusqlite::Result<bool> {
    let mut statement = transaction.prepare_cached(
        "INSERT INTO writer (name, batch, day) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO UPDATE SET \
         batch = excluded.batch, day = excluded.day WHERE excluded.batch > batch",
    )?;
    Ok(statement.execute(params![batch.id.writer, number(batch.id.number), day::to_number(batch.day)])? == 1)
}

/// A batch while it is added to the tables.
struct Adding<'t> {
    transaction: &'t Transaction<'t>,
    texts: &'t mut Texts,
    limits: Limits,
    day: i64,
    updates: Updates<'t>,
    /// The changes of this transaction.
    totals: Totals,
    /// The numbers of rows of the day before this transaction.
    before: Totals,
    added: Added,
}

/// The statements that a usual event needs. Looking each up for each event takes as long as a part of its execution.
struct Updates<'t> {
    domain: CachedStatement<'t>,
    sessions: CachedStatement<'t>,
    failures: CachedStatement<'t>,
}

impl<'t> Updates<'t> {
    fn prepare(transaction: &'t Transaction<'t>) -> rusqlite::Result<Self> {
        Ok(Self {
            domain: transaction.prepare_cached(
                "UPDATE domain_of_day SET events = events + ?3, failed = failed + ?4 WHERE day = ?1 AND domain = ?2",
            )?,
            sessions: transaction.prepare_cached(
                "UPDATE sessions SET succeeded = succeeded + ?5, failed = failed + ?6 \
                 WHERE day = ?1 AND domain = ?2 AND record = ?3 AND policy = ?4",
            )?,
            failures: transaction.prepare_cached(
                "UPDATE failures SET times = times + ?6 \
                 WHERE day = ?1 AND domain = ?2 AND record = ?3 AND policy = ?4 AND failure = ?5",
            )?,
        })
    }
}

/// The columns of the table `day`.
#[derive(Debug, Default)]
struct Totals {
    events: i64,
    failed: i64,
    domains: i64,
    policies: i64,
    failures: i64,
    dropped: i64,
}

impl<'t> Adding<'t> {
    fn begin(
        transaction: &'t Transaction<'t>,
        texts: &'t mut Texts,
        limits: Limits,
        day: Date,
    ) -> rusqlite::Result<Self> {
        let day = day::to_number(day);
        transaction.prepare_cached("INSERT OR IGNORE INTO day (day) VALUES (?1)")?.execute([day])?;
        let mut rows = transaction.prepare_cached("SELECT domains, policies, failures FROM day WHERE day = ?1")?;
        let before = rows.query_row([day], |row| {
            Ok(Totals { domains: row.get(0)?, policies: row.get(1)?, failures: row.get(2)?, ..Totals::default() })
        })?;
        let (totals, added) = (Totals::default(), Added::default());
        Ok(Self { transaction, texts, limits, day, updates: Updates::prepare(transaction)?, totals, before, added })
    }

    fn end(self, last_event: Option<i64>) -> rusqlite::Result<Added> {
        let Totals { events, failed, domains, policies, failures, dropped } = self.totals;
        self.execute(
            "UPDATE day SET events = events + :events, failed = failed + :failed, domains = domains + :domains, \
             policies = policies + :policies, failures = failures + :failures, dropped = dropped + :dropped, \
             last_event = max(ifnull(last_event, :last), ifnull(:last, last_event)) WHERE day = :day",
            named_params! {
                ":events": events, ":failed": failed, ":domains": domains, ":policies": policies,
                ":failures": failures, ":dropped": dropped, ":last": last_event, ":day": self.day,
            },
        )?;
        Ok(self.added)
    }

    fn event(&mut self, event: &Event, times: i64) -> rusqlite::Result<()> {
        let failed = if event.policies.iter().all(Policy::succeeded) { 0 } else { times };
        self.totals.events += times;
        self.totals.failed += failed;
        let domain = self.domain(&normalized_domain(&event.domain), times, failed)?;
        for policy in &event.policies {
            let (record, id) = self.sessions(domain, &event.record, policy, times)?;
            for failure in &policy.failures {
                self.failure((domain, record, id), failure, times)?;
            }
        }
        Ok(())
    }

    fn invalid(&self, reason: &str, datagrams: u64) -> rusqlite::Result<()> {
        self.execute(
            "INSERT INTO invalid (day, reason, datagrams) VALUES (?1, ?2, ?3) \
             ON CONFLICT DO UPDATE SET datagrams = datagrams + excluded.datagrams",
            params![self.day, reason, number(datagrams)],
        )?;
        Ok(())
    }

    /// Counts the event for its domain, or for all domains over the limit. Returns the number of the domain.
    fn domain(&mut self, name: &str, times: i64, failed: i64) -> rusqlite::Result<i64> {
        let found = self.find(Kind::Domain, name)?;
        if let Some(id) = found.id {
            if self.add_to_domain(id, times, failed)? {
                return Ok(id);
            }
        }
        let id = if self.before.domains + self.totals.domains < number(self.limits.domains) {
            self.totals.domains += 1;
            self.number_of(found, name)?
        } else {
            self.added.beyond_domains += times.unsigned_abs();
            if self.add_to_domain(OVER_LIMIT, times, failed)? {
                return Ok(OVER_LIMIT);
            }
            OVER_LIMIT
        };
        self.execute(
            "INSERT INTO domain_of_day (day, domain, events, failed) VALUES (?1, ?2, ?3, ?4)",
            params![self.day, id, times, failed],
        )?;
        Ok(id)
    }

    /// Adds to the row of the domain for the day. Returns whether there is such a row.
    fn add_to_domain(&mut self, domain: i64, times: i64, failed: i64) -> rusqlite::Result<bool> {
        Ok(self.updates.domain.execute(params![self.day, domain, times, failed])? > 0)
    }

    /// Counts the sessions under a policy. Returns the numbers of the record and of the policy.
    fn sessions(&mut self, domain: i64, record: &str, policy: &Policy, times: i64) -> rusqlite::Result<(i64, i64)> {
        let over = (OVER_LIMIT, OVER_LIMIT);
        let (succeeded, failed) = if policy.succeeded() { (times, 0) } else { (0, times) };
        if domain == OVER_LIMIT {
            self.add_or_insert_sessions(domain, over, succeeded, failed)?;
            return Ok(over);
        }
        let text = text_of(&policy.description);
        let found = (self.find(Kind::Record, record)?, self.find(Kind::Policy, &text)?);
        if let (Some(record), Some(policy)) = (found.0.id, found.1.id) {
            if self.add_to_sessions(domain, (record, policy), succeeded, failed)? {
                return Ok((record, policy));
            }
        }
        if self.before.policies + self.totals.policies >= number(self.limits.policies) {
            self.added.beyond_policies += times.unsigned_abs();
            self.add_or_insert_sessions(domain, over, succeeded, failed)?;
            return Ok(over);
        }
        self.totals.policies += 1;
        let ids = (self.number_of(found.0, record)?, self.number_of(found.1, &text)?);
        self.insert_sessions(domain, ids, succeeded, failed)?;
        Ok(ids)
    }

    fn add_or_insert_sessions(&mut self, domain: i64, ids: (i64, i64), good: i64, bad: i64) -> rusqlite::Result<()> {
        if self.add_to_sessions(domain, ids, good, bad)? {
            Ok(())
        } else {
            self.insert_sessions(domain, ids, good, bad)
        }
    }

    /// Adds to a row. Returns whether there is such a row.
    fn add_to_sessions(&mut self, domain: i64, ids: (i64, i64), good: i64, bad: i64) -> rusqlite::Result<bool> {
        Ok(self.updates.sessions.execute(params![self.day, domain, ids.0, ids.1, good, bad])? > 0)
    }

    fn insert_sessions(&self, domain: i64, ids: (i64, i64), good: i64, bad: i64) -> rusqlite::Result<()> {
        self.execute(
            "INSERT INTO sessions (day, domain, record, policy, succeeded, failed) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![self.day, domain, ids.0, ids.1, good, bad],
        )?;
        Ok(())
    }

    /// Counts a failure under the policy with these numbers: domain, record, policy.
    fn failure(&mut self, of: (i64, i64, i64), failure: &Failure, times: i64) -> rusqlite::Result<()> {
        // Failures under a policy over the limit are over the limit too.
        let within = of.2 != OVER_LIMIT;
        if within {
            let text = failure.to_json();
            let found = self.find(Kind::Failure, &text)?;
            if let Some(id) = found.id {
                if self.add_to_failures(of, id, times)? {
                    return Ok(());
                }
            }
            if self.before.failures + self.totals.failures < number(self.limits.failures) {
                self.totals.failures += 1;
                let id = self.number_of(found, &text)?;
                return self.insert_failures(of, id, times);
            }
            self.added.beyond_failures += times.unsigned_abs();
        }
        if self.add_to_failures(of, OVER_LIMIT, times)? { Ok(()) } else { self.insert_failures(of, OVER_LIMIT, times) }
    }

    /// Adds to a row. Returns whether there is such a row.
    fn add_to_failures(&mut self, of: (i64, i64, i64), failure: i64, times: i64) -> rusqlite::Result<bool> {
        Ok(self.updates.failures.execute(params![self.day, of.0, of.1, of.2, failure, times])? > 0)
    }

    fn insert_failures(&self, of: (i64, i64, i64), failure: i64, times: i64) -> rusqlite::Result<()> {
        self.execute(
            "INSERT INTO failures (day, domain, record, policy, failure, times) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![self.day, of.0, of.1, of.2, failure, times],
        )?;
        Ok(())
    }

    fn find(&mut self, kind: Kind, text: &str) -> rusqlite::Result<Found> {
        self.texts.find(self.transaction, kind, text)
    }

    fn number_of(&mut self, found: Found, text: &str) -> rusqlite::Result<i64> {
        self.texts.number_of(self.transaction, found, text)
    }

    /// Executes a statement. Returns whether a row was changed.
    fn execute(&self, statement: &str, parameters: impl Params) -> rusqlite::Result<bool> {
        Ok(self.transaction.prepare_cached(statement)?.execute(parameters)? > 0)
    }
}
