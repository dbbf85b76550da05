//! The queue between the receiving thread and the keeping thread, with a bound on its memory.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::pack::Pack;

/// How long the receiving thread waits for room while the store works. Senders wait as long in the socket's queue.
const PATIENCE: Duration = Duration::from_millis(100);

/// Packs that wait for the store.
#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<State>,
    /// A pack is there, or none will be.
    filled: Condvar,
    /// A pack is done.
    emptied: Condvar,
    /// No datagram comes any more.
    closing: Condvar,
    capacity: usize,
}

#[derive(Debug)]
struct State {
    packs: VecDeque<Pack>,
    /// A pack was added since the keeping thread was woken last. It sleeps only when there is none.
    begun: bool,
    /// Of the packs here and of those taken but not done.
    memory: usize,
    store_works: bool,
    closed: bool,
    counts: Counts,
}

/// What went through the queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Datagrams that arrived.
    pub(crate) arrived: u64,
    /// Those of them that found no room.
    pub(crate) dropped: u64,
    /// The memory that waiting ones take up, in bytes.
    pub(crate) memory: usize,
}

/// What the keeping thread finds.
#[derive(Debug)]
pub(crate) enum Next {
    /// A pack. [`Queue::done`] must follow.
    Pack(Pack),
    /// No datagram came in the time.
    Nothing,
    /// None will come any more.
    Closed,
}

impl Queue {
    /// A queue that takes up to `capacity` bytes of memory.
    pub(crate) fn new(capacity: usize) -> Self {
        let (packs, counts) = (VecDeque::new(), Counts::default());
        let state = State { packs, begun: false, memory: 0, store_works: true, closed: false, counts };
        Self {
            state: Mutex::new(state),
            filled: Condvar::new(),
            emptied: Condvar::new(),
            closing: Condvar::new(),
            capacity,
        }
    }

    /// Takes a datagram in. Where there is no room it waits a moment if the store works; then it drops the datagram, and
    /// counts that.
    pub(crate) fn push(&self, bytes: &[u8], day: i64, at: i64) {
        let mut state = self.state();
        state.counts.arrived += 1;
        if !self.add(&mut state, bytes, day, at) {
            state = self.wait_for_room(state, bytes);
            if !self.add(&mut state, bytes, day, at) {
                state.counts.dropped += 1;
                state.pack_of(day).dropped += 1;
            }
        }
        if std::mem::take(&mut state.begun) {
            drop(state);
            self.filled.notify_one();
        }
    }

    fn add(&self, state: &mut State, bytes: &[u8], day: i64, at: i64) -> bool {
        if state.packs.back_mut().is_some_and(|pack| pack.day == day && pack.count(bytes, at)) {
            return true;
        }
        if state.memory + Pack::memory_for(bytes) > self.capacity {
            return false;
        }
        if state.packs.back().is_some_and(Pack::is_full) {
            state.begin(day);
        }
        state.memory += state.pack_of(day).insert(bytes, at);
        true
    }

    fn wait_for_room<'s>(&self, state: MutexGuard<'s, State>, bytes: &[u8]) -> MutexGuard<'s, State> {
        let full = |state: &mut State| {
            state.store_works && state.memory > 0 && state.memory + Pack::memory_for(bytes) > self.capacity
        };
        let waited = self.emptied.wait_timeout_while(state, PATIENCE, full);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// The next pack. Waits for one, but not longer than `time`.
    pub(crate) fn next(&self, time: Duration) -> Next {
        let empty = |state: &mut State| state.packs.is_empty() && !state.closed;
        let waited = self.filled.wait_timeout_while(self.state(), time, empty);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match state.packs.pop_front() {
            Some(pack) => Next::Pack(pack),
            None if state.closed => Next::Closed,
            None => Next::Nothing,
        }
    }

    /// The pack is in the store, or given up: its memory is free.
    pub(crate) fn done(&self, memory: usize) {
        self.state().memory -= memory;
        self.emptied.notify_all();
    }

    /// Says whether it is worth to wait for the store.
    pub(crate) fn set_store_works(&self, works: bool) {
        self.state().store_works = works;
        self.emptied.notify_all();
    }

    /// Waits for this time, or until the queue is closed.
    pub(crate) fn rest(&self, time: Duration) {
        let open = |state: &mut State| !state.closed;
        drop(self.closing.wait_timeout_while(self.state(), time, open));
    }

    /// No datagram comes any more.
    pub(crate) fn close(&self) {
        self.state().closed = true;
        self.filled.notify_all();
        self.closing.notify_all();
    }

    /// Whether it is closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.state().closed
    }

    /// What went through it.
    pub(crate) fn counts(&self) -> Counts {
        let state = self.state();
        Counts { memory: state.memory, ..state.counts }
    }

    /// A thread that panicked has left the state whole: every change of it is complete before anything can panic.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn begin(&mut self, day: i64) {
        self.packs.push_back(Pack::of_day(day));
        self.begun = true;
    }

    /// The last pack, which is one of this day.
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
    use std::time::{Duration, Instant};

    use super::{Counts, Next, Pack, Queue};

    const SOON: Duration = Duration::from_secs(10);

    fn next(queue: &Queue) -> Pack {
        match queue.next(SOON) {
            Next::Pack(pack) => pack,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn equal_datagrams_take_memory_once_and_days_are_kept_apart() {
        let queue = Queue::new(1000);
        for (bytes, day) in [("a", 1), ("a", 1), ("b", 1), ("a", 2), ("a", 1)] {
            queue.push(bytes.as_bytes(), day, day * 100);
        }
        let packs = [next(&queue), next(&queue), next(&queue)];
        assert_eq!(
            packs.each_ref().map(|pack| (pack.day, pack.last, pack.len())),
            [(1, 100, 3), (2, 200, 1), (1, 100, 1)]
        );
        assert_eq!(packs[0].datagrams[b"a".as_slice()], 2);
        assert_eq!(queue.counts().memory, 4 * Pack::memory_for(b"a"));
        for pack in packs {
            queue.done(pack.memory);
        }
        assert_eq!(queue.counts(), Counts { arrived: 5, dropped: 0, memory: 0 });
    }

    #[test]
    fn what_finds_no_room_is_dropped_and_counted_on_its_day() {
        let queue = Queue::new(2 * Pack::memory_for(b"a"));
        queue.set_store_works(false);
        for bytes in [b"a", b"b", b"c", b"a", b"d"] {
            queue.push(bytes, 1, 1);
        }
        queue.push(b"a", 2, 2);
        assert_eq!(queue.counts().dropped, 3);
        let (first, second) = (next(&queue), next(&queue));
        assert_eq!((first.len(), first.dropped, first.datagrams[b"a".as_slice()]), (3, 2, 2));
        assert_eq!((second.day, second.len(), second.dropped), (2, 0, 1));
        // What is taken counts until it is done.
        queue.push(b"e", 1, 1);
        assert_eq!(queue.counts().dropped, 4);
        queue.done(first.memory);
        queue.push(b"e", 1, 1);
        assert_eq!(queue.counts().dropped, 4);
    }

    #[test]
    fn it_waits_for_a_store_that_works() {
        let queue = Queue::new(Pack::memory_for(b"a"));
        queue.push(b"a", 1, 1);
        let pack = next(&queue);
        std::thread::scope(|scope| {
            let pushing = scope.spawn(|| queue.push(b"b", 1, 1));
            queue.done(pack.memory);
            pushing.join().unwrap();
        });
        assert_eq!(queue.counts().dropped, 0);
        // But not for ever.
        queue.push(b"c", 1, 1);
        assert_eq!(queue.counts().dropped, 1);
    }

    #[test]
    fn a_pack_has_a_limit() {
        let queue = Queue::new(64 << 20);
        for number in 0..5000 {
            queue.push(format!("{number}").as_bytes(), 1, 1);
        }
        assert_eq!([next(&queue).len(), next(&queue).len()], [4096, 904]);
        queue.push(&[0; 2 << 20], 1, 1);
        queue.push(b"a", 1, 1);
        assert_eq!([next(&queue).len(), next(&queue).len()], [1, 1]);
    }

    #[test]
    fn closing_ends_waiting_after_what_is_there() {
        let queue = Queue::new(1000);
        queue.push(b"a", 1, 1);
        assert!(matches!(queue.next(SOON), Next::Pack(_)));
        assert!(matches!(queue.next(Duration::ZERO), Next::Nothing));
        queue.push(b"b", 1, 1);
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
}
