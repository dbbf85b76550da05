//! From a row of tlsrpt-collectd to events with the same sums.

use std::collections::{BTreeMap, BTreeSet};

use tlsrpt_format::datagram::{Event, Failure, Policy, PolicyDescription};
use tlsrpt_store::CountedEvent;

use crate::collectd::PolicyRow;

/// A row as events.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    pub(crate) events: Vec<CountedEvent>,
    /// Failures whose text cannot be read. Their sessions are counted.
    pub(crate) unreadable_failures: u64,
}

/// The events of a row, or why its policy cannot be read. The row has sums, and does not say which failures were in one session:
/// they are distributed evenly.
pub(crate) fn sessions(row: &PolicyRow) -> Result<Sessions, String> {
    let description = PolicyDescription::from_json(&row.policy).map_err(|invalid| invalid.detail)?;
    let (mut failures, mut unreadable_failures) = (Vec::new(), 0);
    for (text, times) in &row.failures {
        match Failure::from_json(text) {
            Ok(failure) => failures.push((failure, *times)),
            Err(_) => unreadable_failures += times,
        }
    }
    let event = |times, succeeded, failures| CountedEvent {
        times,
        event: Event {
            domain: row.domain.clone(),
            record: row.record.clone(),
            policies: vec![Policy::new(description.clone(), succeeded, failures)],
        },
    };
    // Mail servers write 0 or 1 as result, and tlsrpt-collectd adds up what they write.
    let failed = row.failed.min(row.sessions);
    let (with, without) = if failed > 0 { (failed, row.sessions - failed) } else { (row.sessions, 0) };
    let mut events: Vec<_> =
        distribute(&failures, with).into_iter().map(|(times, found)| event(times, failed == 0, found)).collect();
    if without > 0 {
        events.push(event(without, true, Vec::new()));
    }
    Ok(Sessions { events, unreadable_failures })
}

/// Distributes failures over sessions: groups of sessions with the same failures. Each failure takes the sessions behind those of
/// the one before it, round and round.
fn distribute(failures: &[(Failure, u64)], sessions: u64) -> Vec<(u64, Vec<Failure>)> {
    if sessions == 0 {
        return Vec::new();
    }
    let mut begins: BTreeMap<u64, Vec<usize>> = BTreeMap::from([(0, Vec::new())]);
    let mut ends: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    let mut at = 0;
    for (index, (_, times)) in failures.iter().enumerate() {
        let mut mark = |begin, end| {
            if begin < end {
                begins.entry(begin).or_default().push(index);
                ends.entry(end).or_default().push(index);
            }
        };
        let end = at + times % sessions;
        mark(at, end.min(sessions));
        mark(0, end.saturating_sub(sessions));
        at = end % sessions;
    }
    let mut borders: BTreeSet<u64> = begins.keys().chain(ends.keys()).copied().collect();
    borders.insert(sessions);
    let mut groups = Vec::new();
    let mut more = BTreeSet::new();
    let mut next = borders.iter().skip(1);
    for border in &borders {
        for index in ends.get(border).into_iter().flatten() {
            more.remove(index);
        }
        more.extend(begins.get(border).into_iter().flatten().copied());
        let Some(end) = next.next() else { break };
        let of_session = failures.iter().enumerate().flat_map(|(index, (failure, times))| {
            let number = times / sessions + u64::from(more.contains(&index));
            (0..number).map(|_| failure.clone())
        });
        groups.push((end - border, of_session.collect()));
    }
    groups
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{distribute, sessions};
    use crate::collectd::PolicyRow;
    use tlsrpt_format::datagram::Failure;

    fn sums(times: &[u64], sessions: u64) -> (u64, Vec<u64>, usize) {
        let failures: Vec<_> = times
            .iter()
            .enumerate()
            .map(|(number, times)| (Failure::from_json(&format!("{{\"c\":{number}}}")).unwrap(), *times))
            .collect();
        let groups = distribute(&failures, sessions);
        let mut found: BTreeMap<i32, u64> = BTreeMap::new();
        for (times, of_group) in &groups {
            of_group.iter().for_each(|failure| *found.entry(number(failure)).or_default() += times);
        }
        let most = groups.iter().map(|(_, of_group)| of_group.len()).max().unwrap_or_default();
        (groups.iter().map(|(times, _)| times).sum(), found.into_values().collect(), most)
    }

    fn number(failure: &Failure) -> i32 {
        serde_json::from_str::<serde_json::Value>(&failure.to_json()).unwrap()["c"].as_i64().unwrap() as i32
    }

    #[test]
    fn the_sums_of_sessions_and_failures_stay() {
        let cases: [(&[u64], u64, usize); 9] = [
            (&[3, 2, 1], 6, 1),
            (&[3, 2, 1], 9, 1),
            (&[3, 2, 2], 6, 2),
            (&[3, 3, 3], 3, 3),
            (&[5, 5, 5], 6, 3),
            (&[7], 3, 3),
            (&[1, 1, 1, 1, 1], 1, 5),
            (&[1_000_000_000_000, 999_999_999_999, 1], 1_000_000_000_000, 2),
            (&[], 4, 0),
        ];
        for (times, number, most) in cases {
            assert_eq!(sums(times, number), (number, times.to_vec(), most), "{times:?} over {number}");
        }
        assert_eq!(sums(&[1], 0), (0, vec![], 0));
    }

    fn row(sessions: u64, failed: u64, failures: &[(&str, u64)]) -> PolicyRow {
        PolicyRow {
            domain: "a.example".into(),
            record: "r".into(),
            policy: r#"{"policy-type": 9}"#.into(),
            sessions,
            failed,
            failures: failures.iter().map(|(text, times)| ((*text).into(), *times)).collect(),
            ..PolicyRow::default()
        }
    }

    /// Sessions that succeeded, that failed, and failures in each.
    fn counted(row: &PolicyRow) -> [u64; 4] {
        let mut found = [0; 4];
        for counted in sessions(row).unwrap().events {
            let policy = &counted.event.policies[0];
            let of = usize::from(!policy.succeeded());
            found[of] += counted.times;
            found[of + 2] += counted.times * policy.failures.len() as u64;
        }
        found
    }

    #[test]
    fn failures_belong_to_failed_sessions_if_there_are_any() {
        let expired = r#"{"c": 202}"#;
        assert_eq!(counted(&row(5, 2, &[(expired, 2)])), [3, 2, 0, 2]);
        assert_eq!(counted(&row(5, 0, &[(expired, 1)])), [5, 0, 1, 0]);
        assert_eq!(counted(&row(5, 0, &[])), [5, 0, 0, 0]);
        // The sum of results beyond 1.
        assert_eq!(counted(&row(2, 7, &[(expired, 3)])), [0, 2, 0, 3]);
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        let found = sessions(&row(5, 2, &[(r#"{"c": "x"}"#, 2), (r#"{"c": 202}"#, 1)])).unwrap();
        assert_eq!(found.unreadable_failures, 2);
        assert_eq!(found.events.iter().map(|event| event.times).sum::<u64>(), 5);
        let unreadable = PolicyRow { policy: "{}".into(), ..row(1, 0, &[]) };
        assert_eq!(sessions(&unreadable).unwrap_err(), "policy-type is missing");
    }
}
