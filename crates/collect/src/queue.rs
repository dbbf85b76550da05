//! The queue between the receiving thread and the keeping thread, with a bound on its datagrams and on its memory.
//!
//! While the store works, the number of datagrams is bounded: the receiving thread leaves the rest in the queue of the
//! socket. A service manager that owns the socket keeps that queue when the collector is killed, and a sender that does
//! not block, such as a mail server, gets an error when that queue is full. While the store fails, only the memory is
//! bounded.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{arrival, pack::Pack};

/// How many datagrams may be read and not committed while the store works. A kill loses at most these.
pub const MOST_IN_HAND: u64 = 8192;

/// How long the receiving thread waits for one commit. After that it treats the store as failed.
const PATIENCE: Duration = Duration::from_secs(5);

/// Packs that wait for the store.
#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<State>,
    /// A pack was added, or the queue was closed.
    filled: Condvar,
    /// A pack is done, or the store has failed.
    emptied: Condvar,
    /// The queue was closed, or is full.
    closing: Condvar,
    capacity: usize,
    most_in_hand: u64,
    /// The seconds since 1970.
    clock: fn() -> i64,
}

#[derive(Debug)]
struct State {
    packs: VecDeque<Pack>,
    /// The day of the pack that was taken and is not done.
    taken: Option<i64>,
    /// The first day to which datagrams are added: see [`Queue::first_open_day`].
    open_from: i64,
    /// A pack was added since the keeping thread was woken last. That thread sleeps only if there is no pack.
    begun: bool,
    /// The memory of the packs in the queue and of those taken but not done.
    memory: usize,
    /// The number of datagrams of the same packs.
    in_hand: u64,
    store_works: bool,
    /// The receiving thread waits for a commit.
    full: bool,
    closed: bool,
    counts: Counts,
}

/// Counts of the datagrams since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Datagrams that arrived.
    pub(crate) arrived: u64,
    /// Those of them that were dropped.
    pub(crate) dropped: u64,
    /// The memory of the waiting ones, in bytes.
    pub(crate) memory: usize,
}

/// The result of [`Queue::next`].
#[derive(Debug)]
pub(crate) enum Next {
    /// A pack. [`Queue::done`] must follow.
    Pack(Pack),
    /// No datagram arrived in the time.
    Nothing,
    /// The queue is closed and empty.
    Closed,
}

impl Queue {
    /// Makes a queue for up to `capacity` bytes of memory and, while the store works, up to `most_in_hand` datagrams.
    /// `clock` tells the seconds since 1970.
    pub(crate) fn new(capacity: usize, most_in_hand: u64, clock: fn() -> i64) -> Self {
        let state = State {
            packs: VecDeque::new(),
            taken: None,
            open_from: i64::MIN,
            begun: false,
            memory: 0,
            in_hand: 0,
            store_works: true,
            full: false,
            closed: false,
            counts: Counts::default(),
        };
        Self {
            state: Mutex::new(state),
            filled: Condvar::new(),
            emptied: Condvar::new(),
            closing: Condvar::new(),
            capacity,
            most_in_hand,
            clock,
        }
    }

    /// Adds a datagram. If it does not fit: waits for room while the store works, and drops and counts it otherwise.
    pub(crate) fn push(&self, bytes: &[u8], at: i64) {
        let mut state = self.state();
        state.counts.arrived += 1;
        if state.in_hand >= self.most_in_hand && state.store_works {
            state = self.wait_for_room(state, bytes);
        }
        if !self.add(&mut state, bytes, at) {
            state = self.wait_for_room(state, bytes);
            if !self.add(&mut state, bytes, at) {
                state.counts.dropped += 1;
                let (day, _) = self.open_day(&mut state, at);
                state.pack_of(day).dropped += 1;
            }
        }
        if std::mem::take(&mut state.begun) {
            drop(state);
            self.filled.notify_one();
        }
    }

    fn add(&self, state: &mut State, bytes: &[u8], at: i64) -> bool {
        let (day, at) = self.open_day(state, at);
        if !state.packs.back_mut().is_some_and(|pack| pack.day == day && pack.count(bytes, at)) {
            if state.memory + Pack::memory_for(bytes) > self.capacity {
                return false;
            }
            if state.packs.back().is_some_and(Pack::is_full) {
                state.begin(day);
            }
            state.memory += state.pack_of(day).insert(bytes, at);
        }
        state.in_hand += 1;
        true
    }

    /// The day to which a datagram is added, and the time on it. A datagram that was read before midnight and is added
    /// after [`Self::first_open_day`] has closed its day is one of today.
    fn open_day(&self, state: &mut State, at: i64) -> (i64, i64) {
        let day = arrival::day_number(at);
        if day >= state.open_from {
            return (day, at);
        }
        let now = (self.clock)();
        let today = arrival::day_number(now);
        // The clock was set back if today is before it.
        state.open_from = state.open_from.min(today);
        (today, now)
    }

    /// The first day of which datagrams are in the queue or in the hand of the keeping thread, or may still be added. That is
    /// today or an earlier day. Unless the clock is set back, no datagram of a day before it is added any more.
    pub(crate) fn first_open_day(&self) -> i64 {
        let mut state = self.state();
        let today = arrival::day_number((self.clock)());
        state.open_from = today;
        state.packs.iter().map(|pack| pack.day).chain(state.taken).fold(today, i64::min)
    }

    /// Waits while there is no room and the store works on a pack. If that takes longer than [`PATIENCE`], it treats
    /// the store as failed.
    fn wait_for_room<'s>(&self, mut state: MutexGuard<'s, State>, bytes: &[u8]) -> MutexGuard<'s, State> {
        state.full = self.has_no_room(&state, bytes);
        self.closing.notify_all();
        let waited = self.emptied.wait_timeout_while(state, PATIENCE, |state| self.has_no_room(state, bytes));
        let (mut state, result) = waited.unwrap_or_else(PoisonError::into_inner);
        state.full = false;
        state.store_works &= !result.timed_out();
        state
    }

    fn has_no_room(&self, state: &State, bytes: &[u8]) -> bool {
        let memory = state.memory + Pack::memory_for(bytes);
        state.store_works && state.in_hand > 0 && (state.in_hand >= self.most_in_hand || memory > self.capacity)
    }

    /// Takes the next pack. Waits for it, but not longer than `time`.
    pub(crate) fn next(&self, time: Duration) -> Next {
        let empty = |state: &mut State| state.packs.is_empty() && !state.closed;
        let waited = self.filled.wait_timeout_while(self.state(), time, empty);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match state.packs.pop_front() {
            Some(pack) => {
                state.taken = Some(pack.day);
                Next::Pack(pack)
            }
            None if state.closed => Next::Closed,
            None => Next::Nothing,
        }
    }

    /// Frees the room of a pack that is in the store or given up.
    pub(crate) fn done(&self, memory: usize, datagrams: u64) {
        let mut state = self.state();
        state.memory -= memory;
        state.in_hand -= datagrams;
        state.taken = None;
        drop(state);
        self.emptied.notify_all();
    }

    /// Sets whether the store works. Only then the receiving thread waits for room.
    pub(crate) fn set_store_works(&self, works: bool) {
        self.state().store_works = works;
        self.emptied.notify_all();
    }

    /// Waits for this time, or until the queue is closed.
    pub(crate) fn rest(&self, time: Duration) {
        let open = |state: &mut State| !state.closed;
        drop(self.closing.wait_timeout_while(self.state(), time, open));
    }

    /// Waits for this time, or until the queue is closed or has no room.
    pub(crate) fn gather(&self, time: Duration) {
        let open = |state: &mut State| !state.closed && !state.full;
        drop(self.closing.wait_timeout_while(self.state(), time, open));
    }

    /// Closes the queue: no datagram is added any more.
    pub(crate) fn close(&self) {
        self.state().closed = true;
        self.filled.notify_all();
        self.closing.notify_all();
    }

    /// Whether it is closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.state().closed
    }

    /// The counts since the start.
    pub(crate) fn counts(&self) -> Counts {
        let state = self.state();
        Counts { memory: state.memory, ..state.counts }
    }

    /// A poisoned lock is used as it is: every change of the state is complete before anything can panic.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn begin(&mut self, day: i64) {
        self.packs.push_back(Pack::of_day(day));
        self.begun = true;
    }

    /// The last pack, or a new one if the last is of another day.
    fn pack_of(&mut self, day: i64) -> &mut Pack {
        if self.packs.back().is_none_or(|pack| pack.day != day) {
            self.begin(day);
        }
        let last = self.packs.len() - 1;
        &mut self.packs[last]
    }
}

#[cfg(test)]
mod tests {
    use std::{
        cell::Cell,
        time::{Duration, Instant},
    };

    use super::{Counts, MOST_IN_HAND, Next, Pack, Queue};

    const SOON: Duration = Duration::from_secs(10);
    const DAY: i64 = 24 * 60 * 60;

    /// The clock of tests that do not ask for it.
    fn clock() -> i64 {
        0
    }

    fn next(queue: &Queue) -> Pack {
        match queue.next(SOON) {
            Next::Pack(pack) => pack,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn equal_datagrams_take_memory_once_and_days_are_kept_apart() {
        let queue = Queue::new(1000, MOST_IN_HAND, clock);
        for (bytes, day) in [("a", 1), ("a", 1), ("b", 1), ("a", 2), ("a", 1)] {
            queue.push(bytes.as_bytes(), day * DAY + day);
        }
        let packs = [next(&queue), next(&queue), next(&queue)];
        assert_eq!(
            packs.each_ref().map(|pack| (pack.day, pack.last, pack.len())),
            [(1, DAY + 1, 3), (2, 2 * DAY + 2, 1), (1, DAY + 1, 1)]
        );
        assert_eq!(packs[0].datagrams[b"a".as_slice()], 2);
        assert_eq!(queue.counts().memory, 4 * Pack::memory_for(b"a"));
        for pack in packs {
            queue.done(pack.memory, pack.len());
        }
        assert_eq!(queue.counts(), Counts { arrived: 5, dropped: 0, memory: 0 });
    }

    #[test]
    fn datagrams_that_do_not_fit_are_dropped_and_counted_on_their_day() {
        let queue = Queue::new(2 * Pack::memory_for(b"a"), MOST_IN_HAND, clock);
        queue.set_store_works(false);
        for bytes in [b"a", b"b", b"c", b"a", b"d"] {
            queue.push(bytes, DAY);
        }
        queue.push(b"a", 2 * DAY);
        assert_eq!(queue.counts().dropped, 3);
        let (first, second) = (next(&queue), next(&queue));
        assert_eq!((first.len(), first.dropped, first.datagrams[b"a".as_slice()]), (3, 2, 2));
        assert_eq!((second.day, second.len(), second.dropped), (2, 0, 1));
        // A pack that was taken keeps its room until it is done.
        queue.push(b"e", DAY);
        assert_eq!(queue.counts().dropped, 4);
        queue.done(first.memory, first.len());
        queue.push(b"e", DAY);
        assert_eq!(queue.counts().dropped, 4);
    }

    #[test]
    fn push_waits_for_a_store_that_works() {
        let queue = Queue::new(Pack::memory_for(b"a"), MOST_IN_HAND, clock);
        queue.push(b"a", DAY);
        let pack = next(&queue);
        std::thread::scope(|scope| {
            let pushing = scope.spawn(|| queue.push(b"b", DAY));
            queue.gather(SOON);
            queue.done(pack.memory, pack.len());
            pushing.join().unwrap();
        });
        assert_eq!(queue.counts().dropped, 0);
        // But at most `PATIENCE`.
        queue.push(b"c", DAY);
        assert_eq!(queue.counts().dropped, 1);
    }

    #[test]
    fn equal_datagrams_are_not_read_ahead_of_the_store() {
        let queue = Queue::new(1000, 3, clock);
        std::thread::scope(|scope| {
            let pushing = scope.spawn(|| (0..10).for_each(|_| queue.push(b"a", DAY)));
            queue.gather(SOON);
            let mut taken = 0;
            while taken < 10 {
                let pack = next(&queue);
                assert!(pack.len() <= 3, "{}", pack.len());
                taken += pack.len();
                queue.done(pack.memory, pack.len());
            }
            pushing.join().unwrap();
        });
        // It does not wait for a store that fails.
        queue.set_store_works(false);
        (0..10).for_each(|_| queue.push(b"a", DAY));
        assert_eq!((next(&queue).len(), queue.counts().dropped), (10, 0));
    }

    #[test]
    fn a_pack_has_a_limit() {
        let queue = Queue::new(64 << 20, MOST_IN_HAND, clock);
        for number in 0..5000 {
            queue.push(format!("{number}").as_bytes(), DAY);
        }
        assert_eq!([next(&queue).len(), next(&queue).len()], [4096, 904]);
        queue.push(&[0; 2 << 20], DAY);
        queue.push(b"a", DAY);
        assert_eq!([next(&queue).len(), next(&queue).len()], [1, 1]);
    }

    #[test]
    fn closing_ends_a_wait_and_leaves_the_packs_in_the_queue() {
        let queue = Queue::new(1000, MOST_IN_HAND, clock);
        queue.push(b"a", DAY);
        assert!(matches!(queue.next(SOON), Next::Pack(_)));
        assert!(matches!(queue.next(Duration::ZERO), Next::Nothing));
        queue.push(b"b", DAY);
        let begin = Instant::now();
        std::thread::scope(|scope| {
            let resting = scope.spawn(|| queue.rest(SOON));
            queue.close();
            resting.join().unwrap();
        });
        assert!(begin.elapsed() < SOON);
        assert!(matches!(queue.next(SOON), Next::Pack(_)));
        assert!(matches!(queue.next(SOON), Next::Closed));
    }

    thread_local! {
        static NOW: Cell<i64> = const { Cell::new(0) };
    }

    #[test]
    fn a_day_is_closed_when_nothing_of_it_waits() {
        let queue = Queue::new(1000, MOST_IN_HAND, || NOW.get());
        NOW.set(2 * DAY - 1);
        assert_eq!(queue.first_open_day(), 1);
        queue.push(b"a", 2 * DAY - 1);
        NOW.set(2 * DAY);
        assert_eq!(queue.first_open_day(), 1);
        let pack = next(&queue);
        assert_eq!((pack.day, queue.first_open_day()), (1, 1));
        queue.done(pack.memory, pack.len());
        assert_eq!(queue.first_open_day(), 2);
        // It was read before midnight.
        queue.push(b"a", 2 * DAY - 1);
        assert_eq!(queue.first_open_day(), 2);
        let pack = next(&queue);
        assert_eq!((pack.day, pack.last), (2, 2 * DAY));
        queue.done(pack.memory, pack.len());
        // Of a later day than the clock said last: that is no reason to change it.
        queue.push(b"a", 3 * DAY);
        assert_eq!(next(&queue).day, 3);
    }

    #[test]
    fn a_clock_that_is_set_back_opens_a_day_again() {
        let queue = Queue::new(1000, MOST_IN_HAND, || NOW.get());
        NOW.set(9 * DAY);
        assert_eq!(queue.first_open_day(), 9);
        NOW.set(2 * DAY + 5);
        for _ in 0..2 {
            queue.push(b"a", 2 * DAY + 5);
        }
        let pack = next(&queue);
        assert_eq!((pack.day, pack.last, pack.len()), (2, 2 * DAY + 5, 2));
        assert_eq!(queue.first_open_day(), 2);
    }
}
