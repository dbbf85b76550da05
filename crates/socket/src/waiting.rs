//! A queue between two threads with bounded memory. The thread that fills it never waits: when the queue is full, the
//! oldest items are dropped and counted.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

/// An item whose memory a [`Queue`] counts.
pub trait TakesMemory {
    /// The memory of the item, in bytes.
    fn memory(&self) -> usize;
}

/// A queue with a limit for the memory of its items.
#[derive(Debug)]
pub struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    capacity: usize,
}

#[derive(Debug)]
struct State<T> {
    items: VecDeque<T>,
    size: usize,
    lost: u64,
    closed: bool,
}

impl<T: TakesMemory> Queue<T> {
    /// Makes a queue with a capacity in bytes.
    pub fn new(capacity: usize) -> Self {
        let state = State { items: VecDeque::new(), size: 0, lost: 0, closed: false };
        Self { state: Mutex::new(state), changed: Condvar::new(), capacity }
    }

    /// Adds an item at the end. Drops the oldest items if necessary, and the new one if it exceeds the whole capacity.
    pub fn push(&self, item: T) {
        let mut state = self.state();
        state.size += item.memory();
        state.items.push_back(item);
        while state.size > self.capacity {
            let Some(oldest) = state.items.pop_front() else { break };
            state.size -= oldest.memory();
            state.lost += 1;
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Takes the first item. Does not wait.
    pub fn next_at_once(&self) -> Option<T> {
        Self::take(&mut self.state())
    }

    /// Takes the first item. Waits for one; returns None when the queue is closed and empty.
    pub fn next(&self) -> Option<T> {
        let waiting = |state: &mut State<T>| state.items.is_empty() && !state.closed;
        let mut state = self.changed.wait_while(self.state(), waiting).unwrap_or_else(PoisonError::into_inner);
        Self::take(&mut state)
    }

    /// Closes the queue: no further item is added.
    pub fn close(&self) {
        self.state().closed = true;
        self.changed.notify_all();
    }

    /// The number of items that were dropped.
    pub fn lost(&self) -> u64 {
        self.state().lost
    }

    /// How many items wait.
    pub fn len(&self) -> usize {
        self.state().items.len()
    }

    /// Whether no item waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn take(state: &mut State<T>) -> Option<T> {
        let item = state.items.pop_front()?;
        state.size -= item.memory();
        Some(item)
    }

    /// A poisoned lock is used as it is: every change of the state is complete before anything can panic.
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::{Queue, TakesMemory};

    impl TakesMemory for usize {
        fn memory(&self) -> usize {
            *self
        }
    }

    fn drain(queue: &Queue<usize>) -> Vec<usize> {
        std::iter::from_fn(|| queue.next_at_once()).collect()
    }

    #[test]
    fn the_oldest_are_dropped() {
        let queue = Queue::new(10);
        for size in [4, 3, 3] {
            queue.push(size);
        }
        assert_eq!((queue.len(), queue.lost()), (3, 0));
        queue.push(5);
        assert_eq!(queue.lost(), 2);
        assert_eq!(drain(&queue), [3, 5]);
        queue.push(10);
        assert_eq!(queue.lost(), 2);
        queue.push(11);
        assert_eq!((drain(&queue).len(), queue.lost()), (0, 4));
        queue.push(10);
        assert_eq!(drain(&queue), [10]);
    }

    #[test]
    fn waiting_items_are_returned_after_closing() {
        let queue = Queue::new(10);
        thread::scope(|scope| {
            let reader = scope.spawn(|| std::iter::from_fn(|| queue.next()).collect::<Vec<_>>());
            for size in 1..=3 {
                queue.push(size);
            }
            queue.close();
            assert_eq!(reader.join().unwrap(), [1, 2, 3]);
        });
        assert_eq!(queue.next(), None);
    }
}
