//! The passing thread, with a store that fails and with kills at any step. The store is one in a file of SQLite.

use std::{
    cell::Cell,
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        mpsc::{self, Sender},
    },
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tlsrpt_format::datagram;
use tlsrpt_service::Log;
use tlsrpt_store::{
    Added, Batch, BatchId, CountedEvent, Error, HostState, KeptDays, Limits, Purged, ReportStore, SharedStore,
    SpoolOptions, Store, Synchronous, Timestamp, Url, open_reader, open_reports,
};

use super::{Destination, Passer};
use crate::{
    arrival,
    figures::Figures,
    queue::{MOST_IN_HAND, Next, Queue},
    spool::Spool,
};

const DAY: i64 = 24 * 60 * 60;

thread_local! {
    static NOW: Cell<i64> = const { Cell::new(0) };
}

/// What the store of the tests is to do, and what it was told.
#[derive(Debug, Default)]
struct Behaviour {
    /// Of a hundred operations, so many fail. Of the additions that fail, some are in the store, or come into it later.
    failing: u32,
    hosts: Vec<HostState>,
    added: Vec<BatchId>,
    /// A batch of a connection that was cut, which the server commits later.
    late: Option<Batch>,
}

#[derive(Debug)]
struct OneStore {
    store: Box<dyn ReportStore>,
    behaviour: Arc<Mutex<Behaviour>>,
}

/// An error, as a store returns it.
fn error() -> Error {
    open_reader(&Url::Sqlite("/there/is/no/such/store".into())).map(drop).unwrap_err()
}

impl OneStore {
    fn open(path: &Path, behaviour: &Arc<Mutex<Behaviour>>) -> Result<Box<dyn SharedStore>, Error> {
        let store = open_reports(&Url::Sqlite(path.into()), Synchronous::Normal)?;
        let one = Self { store, behaviour: Arc::clone(behaviour) };
        one.try_to()?;
        Ok(Box::new(one))
    }

    fn keep(&mut self, batch: &Batch) -> Result<Added, Error> {
        let added = self.store.add(batch)?;
        if !added.before {
            self.behaviour.lock().unwrap().added.push(batch.id.clone());
        }
        Ok(added)
    }

    fn commit_late(&mut self) -> Result<(), Error> {
        let late = self.behaviour.lock().unwrap().late.take();
        late.map_or(Ok(()), |batch| self.keep(&batch).map(drop))
    }

    /// Fails as often as it is to.
    fn try_to(&self) -> Result<(), Error> {
        if fastrand::u32(0..100) < self.behaviour.lock().unwrap().failing { Err(error()) } else { Ok(()) }
    }
}

impl Store for OneStore {
    fn add(&mut self, batch: &Batch) -> Result<Added, Error> {
        self.commit_late()?;
        if fastrand::bool() {
            let outcome = self.try_to();
            if outcome.is_err() && fastrand::bool() {
                self.behaviour.lock().unwrap().late = Some(copy(batch));
            }
            outcome?;
        }
        let added = self.keep(batch)?;
        // The answer does not arrive.
        self.try_to()?;
        Ok(added)
    }

    fn purge(&mut self, kept: KeptDays) -> Result<Purged, Error> {
        self.store.purge(kept)
    }
}

impl SharedStore for OneStore {
    fn last_batch(&mut self, writer: &str) -> Result<u64, Error> {
        self.try_to()?;
        let last = self.store.last_batch(writer);
        self.commit_late()?;
        last
    }

    fn check_in(&mut self, host: &HostState) -> Result<(), Error> {
        self.try_to()?;
        self.behaviour.lock().unwrap().hosts.push(host.clone());
        Ok(())
    }
}

fn copy(batch: &Batch) -> Batch {
    let event = |counted: &CountedEvent| CountedEvent { event: counted.event.clone(), times: counted.times };
    Batch {
        id: batch.id.clone(),
        day: batch.day,
        last_event: batch.last_event,
        events: batch.events.iter().map(event).collect(),
        invalid: batch.invalid.clone(),
        dropped: batch.dropped,
    }
}

struct Place {
    directory: TempDir,
    queue: Arc<Queue>,
    behaviour: Arc<Mutex<Behaviour>>,
    log: Log,
}

impl Place {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            queue: Arc::new(Queue::new(1 << 20, MOST_IN_HAND, || NOW.get())),
            behaviour: Arc::default(),
            log: Log::start().unwrap(),
        }
    }

    fn store(&self) -> PathBuf {
        self.directory.path().join("store.db")
    }

    fn spool(&self) -> Spool {
        let options = SpoolOptions { limit: 1 << 30, synchronous: Synchronous::Normal };
        Spool::new(&self.directory.path().join("spool.db"), options)
    }

    fn passer(&self, spool: &Spool) -> (Passer, Sender<Instant>) {
        let (path, behaviour) = (self.store(), Arc::clone(&self.behaviour));
        let to = Destination {
            place: "the store".into(),
            opening: Box::new(move || OneStore::open(&path, &behaviour)),
            limits: Limits::default(),
            host: "a.example".into(),
        };
        let (ending, ends) = mpsc::channel();
        (Passer::new(to, spool, &self.queue, &Arc::new(Figures::default()), self.log, ends), ending)
    }

    fn set_failing(&self, percent: u32) {
        self.behaviour.lock().unwrap().failing = percent;
    }

    /// What the store counts: by day and domain.
    fn counts(&self) -> BTreeMap<(String, String), u64> {
        let mut reader = open_reader(&Url::Sqlite(self.store())).unwrap();
        assert!(reader.check().unwrap().is_empty());
        let days = reader.days().unwrap();
        let mut counts = BTreeMap::new();
        for day in days {
            for domain in reader.domains(day.day, "", usize::MAX).unwrap() {
                counts.insert((day.day.to_string(), domain.domain), domain.events);
            }
        }
        counts
    }
}

fn batch(writer: &str, number: u64, day: i64, events: &[(String, u64)]) -> Batch {
    let event = |(domain, times): &(String, u64)| {
        let text = format!(r#"{{"d":"{domain}","pr":"v=TLSRPTv1","policies":[{{"policy-type":9,"f":0}}]}}"#);
        CountedEvent { event: datagram::parse(text.as_bytes()).unwrap(), times: *times }
    };
    Batch {
        id: BatchId { writer: writer.into(), number },
        day: arrival::date(day),
        last_event: Some(Timestamp::from_second(day * DAY).unwrap()),
        events: events.iter().map(event).collect(),
        invalid: Vec::new(),
        dropped: 0,
    }
}

/// Adds batches of random events for some days, as several processes do one after the other.
struct Adding {
    writer: u32,
    number: u64,
    day: i64,
    expected: BTreeMap<(String, String), u64>,
}

impl Adding {
    fn add(&mut self, spool: &Spool, batches: u32) {
        for _ in 0..batches {
            self.number += 1;
            // Midnight, and now and then a clock that is set back.
            self.day += [0, 0, 0, 0, 0, 0, 0, 1, 1, -1][fastrand::usize(..10)];
            let events: Vec<_> =
                (0..fastrand::u32(0..5)).map(|number| (format!("{number}.example"), fastrand::u64(1..5))).collect();
            let batch = batch(&format!("writer {}", self.writer), self.number, self.day, &events);
            for (domain, times) in events {
                *self.expected.entry((batch.day.to_string(), domain)).or_default() += times;
            }
            spool.with(|spool| spool.add(&batch)).unwrap();
        }
    }

    fn restart(&mut self) {
        (self.writer, self.number) = (self.writer + 1, 0);
    }
}

#[test]
fn sums_are_exact_with_a_store_that_fails_and_with_kills() {
    let seed = std::env::var("SPOOL_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| fastrand::u64(..));
    println!("SPOOL_SEED={seed}");
    fastrand::seed(seed);
    let place = Place::new();
    let mut adding = Adding { writer: 0, number: 0, day: 20_000, expected: BTreeMap::new() };
    let (mut spool, mut failures, mut passes) = (place.spool(), 0, 0);
    let (mut passer, mut _ending) = place.passer(&spool);
    for _ in 0..400 {
        place.set_failing([0, 20, 60, 100][fastrand::usize(..4)]);
        adding.add(&spool, fastrand::u32(0..30));
        match passer.pass_all() {
            Ok(()) => passes += 1,
            Err(failed) => {
                failures += 1;
                passer.has_failed(&failed);
            }
        }
        if fastrand::u32(..5) == 0 {
            // A kill takes what is not in a file.
            spool = place.spool();
            (passer, _ending) = place.passer(&spool);
            adding.restart();
        }
    }
    place.set_failing(0);
    passer.pass_all().unwrap();
    assert!(failures > 50 && passes > 50, "{failures} failures, {passes} passes");
    assert_eq!(spool.with(|spool| spool.state()).unwrap().batches, 0);
    assert_eq!(place.counts(), adding.expected);
    // In order, and merged.
    let behaviour = place.behaviour.lock().unwrap();
    let number = |id: &BatchId| (id.writer["writer ".len()..].parse::<u32>().unwrap(), id.number);
    assert!(behaviour.added.is_sorted_by_key(number), "{:?}", behaviour.added);
}

#[test]
fn batches_are_merged_while_the_store_is_away() {
    let place = Place::new();
    let spool = place.spool();
    let (mut passer, _ending) = place.passer(&spool);
    place.set_failing(100);
    let mut expected = BTreeMap::new();
    for number in 1..=1000 {
        let domain = format!("{}.example", number % 7);
        *expected.entry((arrival::date(20_000).to_string(), domain.clone())).or_default() += 1;
        spool.with(|spool| spool.add(&batch("w", number, 20_000, &[(domain, 1)]))).unwrap();
        if number % 100 == 0 {
            let failed = passer.pass_all().unwrap_err();
            passer.has_failed(&failed);
        }
    }
    let state = spool.with(|spool| spool.state()).unwrap();
    assert!(state.batches < 100, "{state:?}");
    place.set_failing(0);
    passer.pass_all().unwrap();
    assert_eq!(place.counts(), expected);
}

#[test]
fn a_day_is_complete_when_all_of_it_is_in_the_store() {
    let place = Place::new();
    let spool = place.spool();
    let (mut passer, _ending) = place.passer(&spool);
    let mut said = |failing| {
        place.set_failing(failing);
        let _ = passer.pass_all();
        place.behaviour.lock().unwrap().hosts.last().map(arrival_day)
    };
    NOW.set(20_000 * DAY + 5);
    assert_eq!(said(0), Some(20_000));
    place.queue.push(b"x", 20_000 * DAY + 5);
    // Midnight: it waits in the queue, then in the hand of the keeping thread, then in the spool.
    NOW.set(20_001 * DAY);
    assert_eq!(said(0), Some(20_000));
    let Next::Pack(pack) = place.queue.next(Duration::ZERO) else { panic!() };
    assert_eq!(said(0), Some(20_000));
    spool.with(|spool| spool.add(&batch("w", 1, pack.day, &[("x".into(), 1)]))).unwrap();
    place.queue.done(pack.memory, pack.len());
    assert_eq!(said(100), Some(20_000));
    // At once, not only after some seconds.
    assert_eq!(said(0), Some(20_001));
    let hosts = place.behaviour.lock().unwrap().hosts.clone();
    let last = hosts.last().unwrap();
    assert_eq!((&*last.name, last.spool_batches, last.spool_bytes), ("a.example", 0, 0));
    assert!(last.last_batch.is_some() && hosts[0].last_batch.is_none());
    // A clock that is set back opens the day again.
    NOW.set(20_000 * DAY + 9);
    let _ = passer.pass_all();
    assert_eq!(arrival_day(place.behaviour.lock().unwrap().hosts.last().unwrap()), 20_000);
}

fn arrival_day(host: &HostState) -> i64 {
    arrival::day_number(host.complete_before.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp().as_second())
}

#[test]
fn what_is_left_is_passed_on_at_the_end() {
    let place = Place::new();
    let spool = place.spool();
    let (passer, ending) = place.passer(&spool);
    std::thread::scope(|scope| {
        let running = scope.spawn(|| passer.run());
        for number in 1..=100 {
            spool.with(|spool| spool.add(&batch("w", number, 20_000, &[("x".into(), 1)]))).unwrap();
        }
        ending.send(Instant::now() + Duration::from_secs(60)).unwrap();
        running.join().unwrap();
    });
    assert_eq!(place.counts().into_values().sum::<u64>(), 100);
    // With a store that fails it does not wait.
    place.set_failing(100);
    spool.with(|spool| spool.add(&batch("w", 101, 20_000, &[("x".into(), 1)]))).unwrap();
    let (passer, ending) = place.passer(&spool);
    ending.send(Instant::now() + Duration::from_secs(3600)).unwrap();
    passer.run();
    assert_eq!(spool.with(|spool| spool.state()).unwrap().batches, 1);
}

#[test]
fn a_damaged_spool_is_set_aside_by_the_thread_that_reads_it() {
    let place = Place::new();
    let spool = place.spool();
    for number in 1..=200 {
        let events: Vec<_> = (0..200).map(|_| (format!("{}.example", fastrand::u64(..)), 1)).collect();
        spool.with(|spool| spool.add(&batch("w", number, 20_000, &events))).unwrap();
    }
    drop(spool);
    let path = place.directory.path().join("spool.db");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[4096..].fill(0xa5);
    std::fs::write(&path, &bytes).unwrap();
    let spool = place.spool();
    let (mut passer, _ending) = place.passer(&spool);
    for _ in 0..2 {
        let failed = passer.pass_all().unwrap_err();
        passer.has_failed(&failed);
    }
    passer.pass_all().unwrap();
    let names: Vec<_> =
        std::fs::read_dir(place.directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.iter().any(|name| name.to_string_lossy().contains("spool.db.corrupt-")), "{names:?}");
    spool.with(|spool| spool.add(&batch("w", 201, 20_000, &[("x".into(), 1)]))).unwrap();
    passer.pass_all().unwrap();
    assert_eq!(place.counts().into_values().sum::<u64>(), 1);
}
