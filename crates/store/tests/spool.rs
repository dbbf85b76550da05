//! The spool in an SQLite file.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use rusqlite::Connection;
use tempfile::TempDir;
use tlsrpt_format::datagram;
use tlsrpt_store::{
    Added, Batch, BatchId, CountedEvent, ErrorKind, Spool, SpoolOptions, SpoolState, Store, Synchronous, Timestamp,
    Waiting, look_at_spool, set_spool_aside,
};

const DAY: &str = "2026-11-24";
const NEXT_DAY: &str = "2026-11-25";

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("spool.db")
    }

    fn open(&self) -> Spool {
        self.open_with(1 << 30)
    }

    fn open_with(&self, limit: u64) -> Spool {
        Spool::open(&self.path(), SpoolOptions { limit, synchronous: Synchronous::Normal }).unwrap()
    }
}

fn batch(writer: &str, number: u64, day: &str, events: &[(&str, u64)]) -> Batch {
    let event = |domain: &str| {
        let text = format!(r#"{{"d":"{domain}","pr":"v=TLSRPTv1","policies":[{{"policy-type":9,"f":0}}]}}"#);
        datagram::parse(text.as_bytes()).unwrap()
    };
    Batch {
        id: BatchId { writer: writer.into(), number },
        day: day.parse().unwrap(),
        last_event: Some(Timestamp::from_second(1_795_262_400).unwrap()),
        events: events.iter().map(|(domain, times)| CountedEvent { event: event(domain), times: *times }).collect(),
        invalid: vec![("not-json", 1)],
        dropped: 1,
    }
}

/// Writer, number and day of a merged batch, and the events by domain.
type Shown = (String, u64, String, Vec<(String, u64)>);

fn shown(batch: &Batch) -> Shown {
    let mut events: Vec<_> = batch.events.iter().map(|counted| (counted.event.domain.clone(), counted.times)).collect();
    events.sort();
    (batch.id.writer.clone(), batch.id.number, batch.day.to_string(), events)
}

fn next(spool: &mut Spool) -> Option<(Waiting, Shown)> {
    spool.oldest().unwrap().map(|waiting| {
        let batch = waiting.merge().unwrap();
        assert_eq!((batch.dropped, batch.invalid), (batch_count(&waiting), vec![("not-json", batch_count(&waiting))]));
        let shown = shown(&waiting.merge().unwrap());
        (waiting, shown)
    })
}

fn batch_count(waiting: &Waiting) -> u64 {
    waiting.batches() as u64
}

fn expected(writer: &str, number: u64, day: &str, events: &[(&str, u64)]) -> Shown {
    let events = events.iter().map(|(domain, times)| ((*domain).to_owned(), *times)).collect();
    (writer.into(), number, day.into(), events)
}

#[test]
fn batches_are_taken_in_order_and_merged_within_a_writer_and_a_day() {
    let place = Place::new();
    let mut spool = place.open();
    assert!(spool.oldest().unwrap().is_none());
    for (writer, number, day, domain) in [
        ("a", 1, DAY, "x"),
        ("a", 2, DAY, "y"),
        ("a", 3, DAY, "x"),
        ("a", 4, NEXT_DAY, "x"),
        // The clock was set back.
        ("a", 5, DAY, "x"),
        ("b", 1, DAY, "x"),
    ] {
        assert_eq!(spool.add(&batch(writer, number, day, &[(domain, number)])).unwrap(), Added::default());
    }
    assert!(spool.add(&batch("a", 5, DAY, &[("x", 5)])).unwrap().before);
    let mut taken = Vec::new();
    while let Some((waiting, shown)) = next(&mut spool) {
        assert_eq!(waiting.writer(), shown.0);
        taken.push(shown);
        spool.remove(&waiting).unwrap();
    }
    assert_eq!(
        taken,
        [
            expected("a", 3, DAY, &[("x", 4), ("y", 2)]),
            expected("a", 4, NEXT_DAY, &[("x", 4)]),
            expected("a", 5, DAY, &[("x", 5)]),
            expected("b", 1, DAY, &[("x", 1)]),
        ]
    );
    assert_eq!(spool.state().unwrap(), SpoolState::default());
}

#[test]
fn an_attempt_has_the_same_batches_until_they_are_removed() {
    let place = Place::new();
    let mut spool = place.open();
    spool.add(&batch("a", 1, DAY, &[("x", 1)])).unwrap();
    let first = next(&mut spool).unwrap().1;
    spool.add(&batch("a", 2, DAY, &[("x", 1)])).unwrap();
    assert_eq!(next(&mut spool).unwrap().1, first);
    // Another process, after a kill.
    drop(spool);
    let mut spool = place.open();
    let (waiting, again) = next(&mut spool).unwrap();
    assert_eq!(again, first);
    spool.remove(&waiting).unwrap();
    let (waiting, second) = next(&mut spool).unwrap();
    assert_eq!(second, expected("a", 2, DAY, &[("x", 1)]));
    spool.remove(&waiting).unwrap();
    // The number of a row is not used again, so a new row is not taken for one of an attempt.
    spool.add(&batch("a", 3, DAY, &[("x", 1)])).unwrap();
    assert_eq!(next(&mut spool).unwrap().1, expected("a", 3, DAY, &[("x", 1)]));
    assert_eq!(spool.remove_known("a", 3).unwrap(), 1);
    spool.add(&batch("a", 4, NEXT_DAY, &[("x", 1)])).unwrap();
    spool.add(&batch("a", 5, NEXT_DAY, &[("x", 1)])).unwrap();
    assert_eq!(next(&mut spool).unwrap().1, expected("a", 5, NEXT_DAY, &[("x", 2)]));
}

#[test]
fn batches_that_the_store_has_are_removed_by_their_number() {
    let place = Place::new();
    let mut spool = place.open();
    for (writer, number) in [("a", 1), ("a", 2), ("a", 3), ("b", 1)] {
        spool.add(&batch(writer, number, DAY, &[("x", 1)])).unwrap();
    }
    assert_eq!(spool.remove_known("a", 2).unwrap(), 2);
    assert_eq!(spool.remove_known("a", 2).unwrap(), 0);
    let (waiting, shown) = next(&mut spool).unwrap();
    assert_eq!(shown, expected("a", 3, DAY, &[("x", 1)]));
    spool.remove(&waiting).unwrap();
    assert_eq!(next(&mut spool).unwrap().1, expected("b", 1, DAY, &[("x", 1)]));
}

/// A batch that compression does not make much smaller.
fn large(number: u64) -> Batch {
    let mut random = fastrand(number);
    let names: Vec<_> = (0..500).map(|_| format!("{:016x}{:016x}.example", random(), random())).collect();
    let events: Vec<_> = names.iter().map(|name| (name.as_str(), 1)).collect();
    batch("a", number, DAY, &events)
}

/// Pseudo-random numbers (xorshift64*).
fn fastrand(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

#[test]
fn a_limit_is_kept_and_room_comes_back() {
    const LIMIT: u64 = 8 << 20;
    let place = Place::new();
    let mut spool = place.open_with(LIMIT);
    let mut added = 0;
    let error = loop {
        match spool.add(&large(added + 1)) {
            Ok(_) => added += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::Full);
    assert!(error.to_string().contains("spool-limit, 8 MiB"), "{error}");
    assert!(added > 100, "{added}");
    let size = || fs::metadata(place.path()).unwrap().len();
    // What SQLite wrote beside the file comes into it.
    Connection::open(place.path()).unwrap().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    assert!((LIMIT / 2..=LIMIT).contains(&size()), "{}", size());
    let mut passed = 0;
    while let Some(waiting) = spool.oldest().unwrap() {
        // One attempt has some MiB at most.
        assert!((waiting.batches() as u64) < added, "{added}");
        passed += waiting.merge().unwrap().events.len();
        spool.remove(&waiting).unwrap();
    }
    assert_eq!(passed as u64, added * 500);
    assert_eq!(spool.add(&large(added + 1)).unwrap(), Added::default());
    drop(spool);
    assert!(size() < LIMIT / 2, "{}", size());
}

#[test]
fn batches_are_merged_in_the_spool() {
    let place = Place::new();
    let mut spool = place.open();
    for number in 1..=10 {
        spool.add(&batch("a", number, DAY, &[("x", 1)])).unwrap();
    }
    // The outcome of this attempt may be unknown, so its batches stay as they are.
    let (attempted, _) = next(&mut spool).unwrap();
    for number in 11..=200 {
        let domain = format!("{}.example", number % 10);
        spool.add(&batch("a", number, DAY, &[(&domain, 1)])).unwrap();
    }
    for number in 201..=264 {
        spool.add(&batch("a", number, NEXT_DAY, &[("x", 1)])).unwrap();
    }
    // Too few.
    for number in 265..=300 {
        spool.add(&batch("a", number, DAY, &[("x", 1)])).unwrap();
    }
    let before = spool.state().unwrap();
    assert_eq!(before.batches, 300);
    while let Some(waiting) = spool.next_to_merge().unwrap() {
        let merged = waiting.pack().unwrap();
        spool.replace(&waiting, &merged).unwrap();
    }
    let after = spool.state().unwrap();
    assert_eq!((after.batches, after.oldest, after.first_day), (10 + 1 + 1 + 36, before.oldest, before.first_day));
    assert!(after.bytes * 3 < before.bytes, "{after:?} {before:?}");
    spool.remove(&attempted).unwrap();
    let (merged, shown) = spool.oldest().unwrap().map(|waiting| (waiting.merge().unwrap(), waiting)).unwrap();
    assert_eq!((merged.dropped, merged.id.number, merged.events.len()), (190, 200, 10));
    assert!(merged.events.iter().all(|counted| counted.times == 19));
    spool.remove(&shown).unwrap();
    let merged = spool.oldest().unwrap().unwrap().merge().unwrap();
    assert_eq!((merged.id.number, merged.day.to_string().as_str(), merged.dropped), (264, NEXT_DAY, 64));
}

#[test]
fn large_batches_are_not_written_again() {
    let place = Place::new();
    let mut spool = place.open();
    let mut names = BTreeMap::new();
    for number in 1..=100 {
        let batch = large(number);
        names.extend(batch.events.iter().map(|counted| (counted.event.domain.clone(), counted.times)));
        spool.add(&batch).unwrap();
        while let Some(waiting) = spool.next_to_merge().unwrap() {
            let merged = waiting.pack().unwrap();
            spool.replace(&waiting, &merged).unwrap();
        }
    }
    let state = spool.state().unwrap();
    assert!(state.batches < 50, "{state:?}");
    let mut found = BTreeMap::new();
    while let Some(waiting) = spool.oldest().unwrap() {
        let batch = waiting.merge().unwrap();
        found.extend(batch.events.into_iter().map(|counted| (counted.event.domain, counted.times)));
        spool.remove(&waiting).unwrap();
    }
    assert_eq!(found, names);
}

#[test]
fn the_state_is_read_beside_the_collector() {
    let place = Place::new();
    assert_eq!(look_at_spool(&place.path()).unwrap_err().kind(), ErrorKind::Missing);
    let mut spool = place.open();
    assert_eq!(look_at_spool(&place.path()).unwrap(), SpoolState::default());
    let before = Timestamp::now().as_second();
    spool.add(&batch("a", 1, NEXT_DAY, &[("x", 1)])).unwrap();
    spool.add(&batch("a", 2, DAY, &[("x", 1)])).unwrap();
    let state = look_at_spool(&place.path()).unwrap();
    assert_eq!((state.batches, state.first_day.map(|day| day.to_string())), (2, Some(DAY.into())));
    assert!((before..=Timestamp::now().as_second()).contains(&state.oldest.unwrap().as_second()));
    assert!(state.bytes > 50 && state.bytes < 1000, "{state:?}");
    assert_eq!(spool.state().unwrap(), state);
}

fn change(path: &Path, statement: &str) {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch(statement).unwrap();
}

#[test]
fn a_batch_that_cannot_be_read_is_put_aside() {
    let place = Place::new();
    let mut spool = place.open();
    for number in 1..=3 {
        spool.add(&batch("a", number, DAY, &[("x", 1)])).unwrap();
    }
    change(&place.path(), "UPDATE batch SET content = CAST(substr(content, 1, 20) AS BLOB) WHERE number = 2");
    let waiting = spool.oldest().unwrap().unwrap();
    let unreadable = waiting.merge().unwrap_err();
    assert!(!unreadable.reason.is_empty());
    spool.put_aside(&unreadable).unwrap();
    let (_, shown) = next(&mut spool).unwrap();
    assert_eq!(shown, expected("a", 3, DAY, &[("x", 2)]));
    let state = spool.state().unwrap();
    assert_eq!((state.batches, state.unreadable), (2, 1));
}

#[test]
fn a_damaged_spool_is_renamed_and_a_file_of_another_program_is_not() {
    let place = Place::new();
    let mut spool = place.open();
    for number in 1..=50 {
        spool.add(&large(number)).unwrap();
    }
    drop(spool);
    let mut bytes = fs::read(place.path()).unwrap();
    bytes[4096..].fill(0xa5);
    fs::write(place.path(), &bytes).unwrap();
    let options = SpoolOptions { limit: 1 << 30, synchronous: Synchronous::Full };
    let error = Spool::open(&place.path(), options).and_then(|mut spool| spool.oldest().map(drop)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    let renamed = set_spool_aside(&place.path(), "NOW").unwrap();
    assert!(fs::read(renamed).unwrap()[4096..] == bytes[4096..]);
    assert!(Spool::open(&place.path(), options).unwrap().oldest().unwrap().is_none());

    let store = place.0.path().join("store.db");
    drop(tlsrpt_store::open(&tlsrpt_store::Url::Sqlite(store.clone()), tlsrpt_store::Options::default()).unwrap());
    let error = Spool::open(&store, options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(error.to_string().contains("name another file as spool"), "{error}");
    assert!(set_spool_aside(&store, "NOW").unwrap_err().to_string().contains("not a spool of tlsrpt"));

    change(&place.path(), "PRAGMA user_version = 99");
    assert_eq!(Spool::open(&place.path(), options).unwrap_err().kind(), ErrorKind::Newer);
}

#[test]
fn a_spool_that_is_gone_is_noticed() {
    let place = Place::new();
    let mut spool = place.open();
    fs::remove_file(place.path()).unwrap();
    assert_eq!(spool.add(&batch("a", 1, DAY, &[("x", 1)])).unwrap_err().kind(), ErrorKind::Missing);
}
