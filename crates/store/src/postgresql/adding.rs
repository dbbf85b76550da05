//! Adds a batch, by one call of a function of the server.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash as StdHash,
};

use tlsrpt_format::datagram::{Failure, Policy, normalized_domain};
use tokio_postgres::error::SqlState;

use super::{columns::number, failure::Failed, link::Link, server_text};
use crate::{
    Added, Batch, Limits, day,
    hash::{Hash, hash},
    policy_text::text_of,
};

/// The most texts of which it is remembered that the server has them, about 2 MiB. When there are more, all are forgotten.
const MOST: usize = 1 << 16;

/// Texts that the server has, so that they are not sent again.
#[derive(Debug, Default)]
pub(super) struct Known(HashSet<Hash>);

impl Known {
    pub(super) fn forget(&mut self) {
        self.0 = HashSet::new();
    }

    /// The server has these texts, unless they are beyond a limit. Then it needs none.
    pub(super) fn learn(&mut self, counted: &Counted<'_>) {
        if self.0.len() >= MOST {
            self.forget();
        }
        for texts in [&counted.records, &counted.policies, &counted.failures] {
            self.0.extend(texts.hashes.iter().copied());
        }
    }

    /// None for a text that the server has.
    fn contents<'t>(&self, texts: &'t Texts) -> Vec<Option<&'t str>> {
        let unknown = |(hash, text): (&Hash, &'t String)| (!self.0.contains(hash)).then_some(text.as_str());
        texts.hashes.iter().zip(&texts.contents).map(unknown).collect()
    }
}

/// Whether the server lacks a text that was not sent.
pub(super) fn lacks_a_text(failed: &Failed) -> bool {
    matches!(failed.code(), Some(&SqlState::CHECK_VIOLATION | &SqlState::NOT_NULL_VIOLATION))
}

/// A batch in the arrays of the function: each domain, policy of a domain and failure of a policy once, in the order of the
/// first.
pub(super) struct Counted<'b> {
    batch: &'b Batch,
    domains: Table<String, 2>,
    records: Texts,
    policies: Texts,
    failures: Texts,
    /// By domain, record and policy.
    sessions: Table<[i32; 3], 2>,
    /// By session and failure.
    failures_of_sessions: Table<[i32; 2], 1>,
}

impl<'b> Counted<'b> {
    pub(super) fn of(batch: &'b Batch) -> Self {
        let (domains, sessions, failures_of_sessions) = (Table::default(), Table::default(), Table::default());
        let (records, policies, failures) = (Texts::default(), Texts::default(), Texts::default());
        let mut counted = Self { batch, domains, records, policies, failures, sessions, failures_of_sessions };
        for event in &batch.events {
            let (times, event) = (number(event.times), &event.event);
            let is_met = event.policies.iter().all(Policy::succeeded);
            let name = server_text::name(normalized_domain(&event.domain));
            let domain = counted.domains.add(name, [times, if is_met { 0 } else { times }]);
            for policy in &event.policies {
                let of = [
                    domain,
                    counted.records.number(&event.record),
                    counted.policies.number(&text_of(&policy.description)),
                ];
                let sums = if policy.succeeded() { [times, 0] } else { [0, times] };
                let session = counted.sessions.add(of, sums);
                for failure in &policy.failures {
                    counted.failure(session, failure, times);
                }
            }
        }
        counted
    }

    fn failure(&mut self, session: i32, failure: &Failure, times: i64) {
        let failure = self.failures.number(&failure.to_json());
        self.failures_of_sessions.add([session, failure], [times]);
    }
}

/// Sums by key, in the order of the first of each key.
struct Table<K, const N: usize> {
    numbers: HashMap<K, i32>,
    keys: Vec<K>,
    sums: [Vec<i64>; N],
}

impl<K, const N: usize> Default for Table<K, N> {
    fn default() -> Self {
        Self { numbers: HashMap::new(), keys: Vec::new(), sums: std::array::from_fn(|_| Vec::new()) }
    }
}

impl<K: Clone + Eq + StdHash, const N: usize> Table<K, N> {
    /// Adds to the sums of a key. Its number, from 1.
    fn add(&mut self, key: K, add: [i64; N]) -> i32 {
        let next = position(self.keys.len());
        let found = *self.numbers.entry(key.clone()).or_insert(next);
        if found == next {
            self.keys.push(key);
            self.sums.iter_mut().zip(add).for_each(|(sums, add)| sums.push(add));
        } else {
            let row = usize::try_from(found - 1).unwrap_or_default();
            self.sums.iter_mut().zip(add).for_each(|(sums, add)| sums[row] = sums[row].saturating_add(add));
        }
        found
    }
}

impl<const M: usize, const N: usize> Table<[i32; M], N> {
    /// One part of each key.
    fn part(&self, part: usize) -> Vec<i32> {
        self.keys.iter().map(|key| key[part]).collect()
    }
}

/// Texts, each once.
#[derive(Debug, Default)]
struct Texts {
    numbers: HashMap<Hash, i32>,
    hashes: Vec<Hash>,
    contents: Vec<String>,
}

impl Texts {
    /// The number of a text, from 1.
    fn number(&mut self, text: &str) -> i32 {
        let (hash, next) = (hash(text), position(self.hashes.len()));
        let found = *self.numbers.entry(hash).or_insert(next);
        if found == next {
            self.hashes.push(hash);
            self.contents.push(server_text::without_nul(text).into_owned());
        }
        found
    }

    fn hashes(&self) -> Vec<&[u8]> {
        self.hashes.iter().map(Hash::as_slice).collect()
    }
}

/// The number of the next item of an array of the server, which fits: a batch is bounded.
fn position(items: usize) -> i32 {
    i32::try_from(items + 1).unwrap_or(i32::MAX)
}

pub(super) fn add(link: &mut Link, counted: &Counted<'_>, known: &Known, limits: Limits) -> Result<Added, Failed> {
    let Counted { batch, domains, records, policies, failures, sessions, failures_of_sessions } = counted;
    let reasons: Vec<_> = batch.invalid.iter().map(|(reason, _)| *reason).collect();
    let datagrams: Vec<_> = batch.invalid.iter().map(|(_, datagrams)| number(*datagrams)).collect();
    let row = link.row(
        "SELECT * FROM add_batch($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, \
         $21, $22, $23, $24, $25, $26, $27)",
        &[
            &batch.id.writer,
            &number(batch.id.number),
            &day::to_number(batch.day),
            &batch.last_event.map(|at| at.as_second()),
            &number(batch.dropped),
            &number(limits.domains),
            &number(limits.policies),
            &number(limits.failures),
            &reasons,
            &datagrams,
            &records.hashes(),
            &known.contents(records),
            &policies.hashes(),
            &known.contents(policies),
            &failures.hashes(),
            &known.contents(failures),
            &domains.keys,
            &domains.sums[0],
            &domains.sums[1],
            &sessions.part(0),
            &sessions.part(1),
            &sessions.part(2),
            &sessions.sums[0],
            &sessions.sums[1],
            &failures_of_sessions.part(0),
            &failures_of_sessions.part(1),
            &failures_of_sessions.sums[0],
        ],
    )?;
    let row = row.ok_or_else(|| Failed::unreadable("add_batch"))?;
    let count = |column| row.get::<_, i64>(column).unsigned_abs();
    Ok(Added {
        before: row.get(0),
        is_full: false,
        beyond_domains: count(1),
        beyond_policies: count(2),
        beyond_failures: count(3),
    })
}
