//! The store in an SQLite file.

use std::{fs, path::PathBuf};

use tempfile::TempDir;
use tlsrpt_format::datagram;
use tlsrpt_store::{
    Added, Batch, BatchId, CountedEvent, Date, ErrorKind, KeptDays, Limits, OTHER_DOMAINS, Options, PolicyCounts,
    Purged, Reader, Store, Timestamp, Url, open, open_reader,
};

struct Place {
    directory: TempDir,
    url: Url,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = Url::Sqlite(directory.path().join("tlsrpt.db"));
        Self { directory, url }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("tlsrpt.db")
    }

    fn open(&self) -> Box<dyn Store> {
        open(&self.url, Options::default()).unwrap()
    }

    fn reader(&self) -> Box<dyn Reader> {
        open_reader(&self.url).unwrap()
    }

    fn open_with(&self, limits: Limits) -> Box<dyn Store> {
        open(&self.url, Options { limits, ..Options::default() }).unwrap()
    }
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

const DAY: &str = "2026-11-24";

/// An event in JSON: domain, record, members of its policies.
fn event(domain: &str, record: &str, policies: &[&str]) -> String {
    let policies: Vec<_> = policies.iter().map(|members| format!("{{{members}}}")).collect();
    format!(r#"{{"dpv":"1","d":"{domain}","pr":"{record}","policies":[{}]}}"#, policies.join(","))
}

const GOOD: &str = r#""policy-type":9,"t":0,"f":0"#;
const BAD: &str = r#""policy-type":9,"failure-details":[{"c":204,"s":"192.0.2.1"}],"t":1,"f":1"#;

fn batch(number: u64, on: &str, events: &[(String, u64)]) -> Batch {
    let counted = |(text, times): &(String, u64)| CountedEvent {
        event: datagram::parse(text.as_bytes()).unwrap(),
        times: *times,
    };
    Batch {
        id: BatchId { writer: "test".into(), number },
        day: day(on),
        last_event: (!events.is_empty()).then(|| Timestamp::from_second(1_795_262_400).unwrap()),
        events: events.iter().map(counted).collect(),
        invalid: Vec::new(),
        dropped: 0,
    }
}

fn sums(policies: &[PolicyCounts]) -> Vec<(u64, u64)> {
    policies.iter().map(|policy| (policy.succeeded, policy.failed)).collect()
}

#[test]
fn sessions_and_failures_are_counted_by_day_domain_record_and_policy() {
    let place = Place::new();
    let mut store = place.open();
    let sts = r#""policy-type":2,"policy-domain":"a.example","policy-string":["version: STSv1"],"mx-host":["*.a"],"t":0,"f":0"#;
    let same =
        r#""mx-host":["*.a"],"f":0,"policy-string":["version: STSv1"],"policy-domain":"A.example.","policy-type":2"#;
    let twice =
        r#""policy-type":9,"failure-details":[{"c":204,"s":"192.0.2.1"},{"c":204,"s":"192.0.2.1"},{"c":201}],"f":1"#;
    let events = [
        (event("a.example", "r", &[GOOD]), 2),
        (event("A.Example.", "r", &[sts]), 3),
        (event("a.example", "r", &[same, BAD]), 5),
        (event("a.example", "other", &[GOOD]), 7),
        (event("b.example", "r", &[twice]), 11),
    ];
    assert_eq!(store.add(&batch(1, DAY, &events)), Ok(Added::default()));
    assert_eq!(store.add(&batch(2, "2026-11-25", &events[..1])), Ok(Added::default()));
    assert_eq!(store.add(&batch(3, DAY, &events[..1])), Ok(Added::default()));

    let mut reader = open_reader(&place.url).unwrap();
    let days = reader.days().unwrap();
    assert_eq!(days.iter().map(|day| day.day).collect::<Vec<_>>(), [day("2026-11-25"), day(DAY)]);
    let counts = &days[1];
    assert_eq!((counts.events, counts.failed, counts.domains), (30, 16, 2));
    assert_eq!((counts.policies, counts.failures, counts.invalid, counts.dropped), (4, 3, 0, 0));
    let names = |found: Vec<tlsrpt_store::DomainCounts>| {
        found.into_iter().map(|domain| (domain.domain, domain.events, domain.failed)).collect::<Vec<_>>()
    };
    let (a, b) = (("a.example".to_string(), 19, 5), ("b.example".to_string(), 11, 11));
    assert_eq!(names(reader.domains(day(DAY), "", 10).unwrap()), [a.clone(), b.clone()]);
    assert_eq!(names(reader.domains(day(DAY), "a.example", 10).unwrap()), std::slice::from_ref(&b));
    assert_eq!(names(reader.domains(day(DAY), "", 1).unwrap()), std::slice::from_ref(&a));
    assert_eq!(names(reader.most_failed(day(DAY), 10).unwrap()), [b, a]);

    let policies = reader.policies(day(DAY), "A.EXAMPLE.").unwrap();
    let records: Vec<_> = policies.iter().map(|policy| &*policy.record).collect();
    assert_eq!(records, ["r", "r", "other"]);
    assert_eq!(sums(&policies), [(4, 5), (8, 0), (7, 0)]);
    assert_eq!(policies[0].failures.iter().map(|failure| failure.times).collect::<Vec<_>>(), [5]);
    assert_eq!(policies[1].policy.as_ref().unwrap().policy_type(), Ok("sts"));
    assert_eq!(policies[1].policy.as_ref().unwrap().mx_host, Some(vec!["*.a".into()]));
    let failures = &reader.policies(day(DAY), "b.example").unwrap()[0].failures;
    let found: Vec<_> = failures
        .iter()
        .map(|counted| (counted.failure.as_ref().unwrap(), counted.times))
        .map(|(failure, times)| {
            (
                failure.result_type().unwrap(),
                failure.details.get(tlsrpt_format::datagram::FailureMember::SendingMtaIp),
                times,
            )
        })
        .collect();
    assert_eq!(found, [("certificate-expired", Some("192.0.2.1"), 22), ("starttls-not-supported", None, 11)]);
    assert_eq!(reader.last_event().unwrap(), Some(Timestamp::from_second(1_795_262_400).unwrap()));
    assert!(reader.policies(day(DAY), "c.example").unwrap().is_empty());
    assert_eq!(place.reader().check().unwrap(), [""; 0]);
}

#[test]
fn invalid_and_dropped_datagrams_are_counted_by_day() {
    let place = Place::new();
    let mut store = place.open();
    for number in 1..=2 {
        let invalid = vec![("not-json", 3), ("too-deep", 4)];
        store.add(&Batch { invalid, dropped: 5, ..batch(number, DAY, &[]) }).unwrap();
    }
    let counts = &place.reader().days().unwrap()[0];
    assert_eq!((counts.events, counts.invalid, counts.dropped, counts.last_event), (0, 14, 10, None));
    let by_reason = place.reader().invalid(day(DAY)).unwrap();
    let found: Vec<_> = by_reason.iter().map(|counts| (&*counts.reason, counts.datagrams)).collect();
    assert_eq!(found, [("too-deep", 8), ("not-json", 6)]);
}

#[test]
fn a_batch_that_is_added_again_changes_nothing() {
    let place = Place::new();
    let first = batch(1, DAY, &[(event("a.example", "r", &[GOOD]), 1)]);
    let mut store = place.open();
    assert!(!store.add(&first).unwrap().before);
    assert!(store.add(&first).unwrap().before);
    drop(store);
    let mut store = place.open();
    assert!(store.add(&first).unwrap().before);
    assert_eq!(place.reader().days().unwrap()[0].events, 1);
    let mut of_another = first;
    of_another.id.writer = "another".into();
    assert!(!store.add(&of_another).unwrap().before);
    assert_eq!(place.reader().days().unwrap()[0].events, 2);
}

#[test]
fn everything_over_a_limit_is_counted_in_one_row() {
    let place = Place::new();
    let mut store = place.open_with(Limits { domains: 2, policies: 3, failures: 1 });
    let failing = |reason: &str| format!(r#""policy-type":9,"failure-details":[{{"c":204,"f":"{reason}"}}],"f":1"#);
    let (one, two) = (failing("one"), failing("two"));
    let first = [
        (event("a.example", "r", &[GOOD]), 1),
        (event("b.example", "r", &[&one]), 2),
        (event("c.example", "r", &[&one]), 4),
        (event("d.example", "r", &[GOOD]), 8),
        (event("a.example", "s", &[&two]), 16),
        (event("a.example", "t", &[&two]), 32),
    ];
    let added = store.add(&batch(1, DAY, &first)).unwrap();
    assert_eq!((added.beyond_domains, added.beyond_policies, added.beyond_failures), (12, 32, 16));
    // Domains, policies and failures with a row are counted there in later batches too.
    let added = store.add(&batch(2, DAY, &first)).unwrap();
    assert_eq!((added.beyond_domains, added.beyond_policies, added.beyond_failures), (12, 32, 16));
    let counts = &place.reader().days().unwrap()[0];
    assert_eq!((counts.events, counts.failed), (126, 108));
    assert_eq!((counts.domains, counts.policies, counts.failures), (2, 3, 1));
    let others = place.reader().policies(day(DAY), OTHER_DOMAINS).unwrap();
    assert_eq!((sums(&others), &others[0].policy), (vec![(16, 8)], &None));
    assert_eq!(others[0].failures.iter().map(|counts| counts.times).collect::<Vec<_>>(), [8]);
    let policies = place.reader().policies(day(DAY), "a.example").unwrap();
    assert_eq!(sums(&policies), [(0, 64), (2, 0), (0, 32)]);
    assert!(policies[0].policy.is_none() && policies[0].failures[0].failure.is_none());
    assert!(policies[2].failures[0].failure.is_none());
    // The limits apply to each day separately.
    let added = store.add(&batch(3, "2026-11-25", &first[..2])).unwrap();
    assert_eq!(added, Added::default());
    assert_eq!(place.reader().check().unwrap(), [""; 0]);
}

#[test]
fn purging_removes_old_days_and_texts_that_only_they_refer_to() {
    let place = Place::new();
    let mut store = place.open();
    let old = [(event("old.example", "old", &[BAD]), 1), (event("a.example", "r", &[GOOD]), 1)];
    store.add(&batch(1, "2026-10-01", &old)).unwrap();
    store.add(&batch(2, "2026-10-02", &old)).unwrap();
    store.add(&batch(3, DAY, &old[1..])).unwrap();
    let kept = KeptDays { first: day("2026-10-03"), today: day("2026-11-25") };
    let far_ahead = KeptDays { first: day("2028-10-03"), today: day("2028-11-25") };
    // The days of a clock that jumps ahead, and the first day on which there are events.
    for implausible in [far_ahead, KeptDays { today: day(DAY), ..kept }] {
        assert_eq!(store.purge(implausible), Ok(Purged::default()), "{implausible:?}");
    }
    assert_eq!(store.purge(kept), Ok(Purged { days: 2, unreported: 4, waiting: 0 }));
    assert_eq!(store.purge(kept), Ok(Purged::default()));
    let days: Vec<_> = place.reader().days().unwrap().into_iter().map(|counts| counts.day).collect();
    assert_eq!(days, [day(DAY)]);
    assert_eq!(sums(&place.reader().policies(day(DAY), "a.example").unwrap()), [(1, 0)]);
    assert_eq!(place.reader().check().unwrap(), [""; 0]);
    drop(store);
    let raw = rusqlite::Connection::open(place.path()).unwrap();
    for (table, rows) in [("domain", 2), ("record", 2), ("policy", 2), ("failure", 1), ("failures", 0)] {
        let found: i64 = raw.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap();
        assert_eq!(found, rows, "{table}");
    }
}

#[test]
fn checking_finds_a_missing_row() {
    let place = Place::new();
    place.open().add(&batch(1, DAY, &[(event("a.example", "r", &[GOOD]), 1)])).unwrap();
    let raw = rusqlite::Connection::open(place.path()).unwrap();
    raw.execute_batch("PRAGMA foreign_keys = off; DELETE FROM policy WHERE id > 0").unwrap();
    drop(raw);
    let found = place.reader().check().unwrap();
    assert_eq!(found, ["a row of sessions refers to a missing row of policy"]);
}

#[test]
fn a_reader_never_waits_and_never_writes() {
    let place = Place::new();
    assert_eq!(open_reader(&place.url).err().unwrap().kind(), ErrorKind::Missing);
    assert!(!place.path().exists());
    let mut store = place.open();
    store.add(&batch(1, DAY, &[(event("a.example", "r", &[GOOD]), 1)])).unwrap();
    let raw = rusqlite::Connection::open(place.path()).unwrap();
    raw.execute_batch("BEGIN IMMEDIATE; DELETE FROM writer").unwrap();
    let mut reader = open_reader(&place.url).unwrap();
    assert_eq!(reader.days().unwrap()[0].events, 1);
    assert_eq!(store.add(&batch(2, DAY, &[])).unwrap_err().kind(), ErrorKind::Locked);
    raw.execute_batch("ROLLBACK").unwrap();
    assert!(!store.add(&batch(2, DAY, &[])).unwrap().before);
    drop((reader, raw, store));
    // All is in one file now.
    let names: Vec<_> = fs::read_dir(place.directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["tlsrpt.db"]);
    assert_eq!(open_reader(&place.url).unwrap().days().unwrap()[0].events, 1);
    assert!(open_reader(&place.url).unwrap().size().unwrap() > 4096);
}

#[test]
fn a_removed_or_replaced_file_is_an_error() {
    let place = Place::new();
    let mut store = place.open();
    fs::remove_file(place.path()).unwrap();
    assert_eq!(store.add(&batch(1, DAY, &[])).unwrap_err().kind(), ErrorKind::Missing);
    fs::write(place.path(), "").unwrap();
    let error = store.add(&batch(1, DAY, &[])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Missing);
    assert!(error.to_string().contains("another file has taken the place"), "{error}");
}

#[test]
fn a_file_that_is_not_a_store_of_tlsrpt_is_not_changed() {
    let place = Place::new();
    let refused = || {
        let before = fs::read(place.path()).unwrap();
        let error = open(&place.url, Options::default()).err().unwrap();
        assert_eq!(fs::read(place.path()).unwrap(), before);
        assert_eq!(open_reader(&place.url).err().unwrap().kind(), error.kind());
        assert!(error.to_string().starts_with(place.path().to_str().unwrap()), "{error}");
        error
    };
    fs::write(place.path(), "no database, but long enough to be looked at".repeat(100)).unwrap();
    assert_eq!(refused().kind(), ErrorKind::Corrupt);
    fs::remove_file(place.path()).unwrap();

    rusqlite::Connection::open(place.path()).unwrap().execute_batch("CREATE TABLE x (y)").unwrap();
    let error = refused();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(error.to_string().contains("another program"), "{error}");
    fs::remove_file(place.path()).unwrap();

    drop(place.open());
    rusqlite::Connection::open(place.path()).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
    let error = refused();
    assert_eq!(error.kind(), ErrorKind::Newer);
    assert!(error.to_string().contains("a later version"), "{error}");
}

#[test]
fn a_damaged_file_is_recognized() {
    let place = Place::new();
    let many: Vec<_> = (0..500).map(|number| (event(&format!("{number}.example"), "r", &[GOOD]), 1)).collect();
    place.open().add(&batch(1, DAY, &many)).unwrap();
    let mut bytes = fs::read(place.path()).unwrap();
    bytes[4096..].fill(0xa5);
    fs::write(place.path(), bytes).unwrap();
    let outcome = open(&place.url, Options::default()).and_then(|mut store| store.add(&batch(2, DAY, &many)));
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn numbers_of_texts_that_another_process_removed_are_not_used() {
    let place = Place::new();
    let mut store = place.open();
    let events = [(event("a.example", "r", &[BAD]), 1)];
    store.add(&batch(1, DAY, &events)).unwrap();
    let raw = rusqlite::Connection::open(place.path()).unwrap();
    raw.execute_batch(
        "PRAGMA foreign_keys = on; DELETE FROM day; DELETE FROM domain WHERE id > 0; DELETE FROM record WHERE id > 0; \
         DELETE FROM policy WHERE id > 0; DELETE FROM failure WHERE id > 0; \
         INSERT INTO domain (name) VALUES ('other.example'); INSERT INTO record (hash, content) VALUES (x'01', 'other')",
    )
    .unwrap();
    store.add(&batch(2, DAY, &events)).unwrap();
    let domains = place.reader().domains(day(DAY), "", 10).unwrap();
    assert_eq!(domains.iter().map(|domain| (&*domain.domain, domain.events)).collect::<Vec<_>>(), [("a.example", 1)]);
    assert_eq!(place.reader().policies(day(DAY), "a.example").unwrap()[0].record, "r");
    assert_eq!(place.reader().check().unwrap(), [""; 0]);
}

#[test]
fn numbers_of_texts_in_a_transaction_that_failed_are_not_used() {
    let place = Place::new();
    let mut store = place.open();
    let raw = rusqlite::Connection::open(place.path()).unwrap();
    raw.execute_batch("CREATE TRIGGER no BEFORE INSERT ON failures BEGIN SELECT RAISE(ABORT, 'no'); END").unwrap();
    store.add(&batch(1, DAY, &[(event("a.example", "r", &[GOOD]), 1)])).unwrap();
    store.add(&batch(2, DAY, &[(event("b.example", "s", &[BAD]), 1)])).unwrap_err();
    // Its numbers are free again.
    for number in 3..=4 {
        store
            .add(&batch(number, DAY, &[(event(["c.example", "b.example"][number as usize - 3], "s", &[GOOD]), 1)]))
            .unwrap();
    }
    let domains = place.reader().domains(day(DAY), "", 10).unwrap();
    let names: Vec<_> = domains.iter().map(|domain| (&*domain.domain, domain.events)).collect();
    assert_eq!(names, [("a.example", 1), ("b.example", 1), ("c.example", 1)]);
    assert_eq!(place.reader().check().unwrap(), [""; 0]);
}

#[test]
fn several_may_create_it_at_once() {
    let place = Place::new();
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    drop(place.open());
                    place.reader().days().unwrap().len()
                })
            })
            .collect();
        for one in all {
            assert_eq!(one.join().unwrap(), 0);
        }
    });
}

#[test]
fn only_its_user_and_group_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let _store = place.open();
    for name in ["tlsrpt.db", "tlsrpt.db-wal", "tlsrpt.db-shm"] {
        let mode = fs::metadata(place.directory.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777 & !0o640, 0, "{name}");
    }
}
