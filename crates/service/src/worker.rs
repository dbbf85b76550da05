//! A thread whose end is noticed, also after a panic.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc::{self, Receiver},
    thread,
    time::Instant,
};

use crate::{EndSignal, Patience};

/// A thread of the service. When it returns or panics, it ends the service.
#[derive(Debug)]
pub struct Worker<T> {
    outcome: Receiver<thread::Result<T>>,
}

/// Why a worker has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfinished {
    /// The thread panicked. [`crate::messages`] has written the panic message.
    Panicked,
    /// The thread is still at work. It ends with the process.
    Late,
}

impl<T: Send + 'static> Worker<T> {
    /// Starts `work` in a thread.
    ///
    /// # Errors
    ///
    /// The system starts no thread.
    pub fn start(name: &str, end: &EndSignal, work: impl FnOnce() -> T + Send + 'static) -> io::Result<Self> {
        let (sender, outcome) = mpsc::channel();
        let end = end.clone();
        thread::Builder::new().name(name.into()).spawn(move || {
            // Unwind safe: the threads share only atomics and queues, and both are consistent after a panic.
            let outcome = catch_unwind(AssertUnwindSafe(work));
            // Fails if the `Worker` was dropped.
            let _ = sender.send(outcome);
            end.end();
        })?;
        Ok(Self { outcome })
    }

    /// Waits for the result of the thread until the deadline, and abandons the thread then.
    ///
    /// # Errors
    ///
    /// The thread panicked, or has not returned at the deadline.
    pub fn outcome_by(self, deadline: Instant) -> Result<T, Unfinished> {
        match self.outcome.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(outcome) => outcome.map_err(|_| Unfinished::Panicked),
            Err(_) => Err(Unfinished::Late),
        }
    }

    /// Waits for the result of the thread, and abandons the thread when the time is up.
    ///
    /// # Errors
    ///
    /// The thread panicked, or has not returned in time.
    pub fn outcome_within(self, patience: &mut Patience) -> Result<T, Unfinished> {
        match patience.wait(|time| self.outcome.recv_timeout(time).ok()) {
            Some(outcome) => outcome.map_err(|_| Unfinished::Panicked),
            None => Err(Unfinished::Late),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::mpsc,
        time::{Duration, Instant},
    };

    use super::{Unfinished, Worker};
    use crate::{Ending, Patience};

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[test]
    fn work_that_ends_or_panics_ends_the_service() {
        let (ending, end) = Ending::new(None).unwrap();
        let worker = Worker::start("works", &end, || 7).unwrap();
        ending.wait();
        assert_eq!(worker.outcome_by(soon()), Ok(7));
        let worker = Worker::start("panics", &end, || -> u32 { panic!("a test of panics") }).unwrap();
        ending.wait();
        assert_eq!(worker.outcome_by(soon()), Err(Unfinished::Panicked));
    }

    #[test]
    fn late_work_is_abandoned() {
        let (_ending, end) = Ending::new(None).unwrap();
        let (_never, waits) = mpsc::channel::<()>();
        let worker = Worker::start("waits", &end, move || waits.recv().is_err()).unwrap();
        assert_eq!(worker.outcome_by(Instant::now()), Err(Unfinished::Late));
        let (_never, waits) = mpsc::channel::<()>();
        let worker = Worker::start("waits", &end, move || waits.recv().is_err()).unwrap();
        assert_eq!(worker.outcome_within(&mut Patience::of(Duration::ZERO)), Err(Unfinished::Late));
        let worker = Worker::start("works", &end, || 7).unwrap();
        assert_eq!(worker.outcome_within(&mut Patience::of(Duration::from_secs(60))), Ok(7));
    }

    #[test]
    fn the_time_ends_the_service() {
        let (ending, _end) = Ending::new(Some(Duration::from_millis(1))).unwrap();
        ending.wait();
    }
}
