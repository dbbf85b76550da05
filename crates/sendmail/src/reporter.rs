//! The handshakes whose events are still to be sent, and the thread that sends them.
//!
//! Each handshake is a task of its own with a deadline, so that slow lookups delay no others, and so that a task that panics
//! ends alone.

use std::{
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use tlsrpt_format::printable;
use tokio::{
    runtime,
    sync::{
        Semaphore,
        mpsc::{self, error::TrySendError},
    },
    time::timeout,
};

use crate::handshake::Handshake;

/// The number of handshakes that wait for DNS at the same time. Each has one socket open.
pub const MOST_TASKS: usize = 256;
/// The number of handshakes that wait for a task. Beyond that their events are lost, as with a collector that is too slow.
pub const LONGEST_QUEUE: usize = 4096;
/// The time that all lookups for one handshake have together.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// Takes a message for the operator. It must not wait.
pub type Complain = Arc<dyn Fn(&str) + Send + Sync>;

/// The queue to the thread. A clone is another handle to the same queue.
#[derive(Debug, Clone)]
pub struct Reporter {
    queue: mpsc::Sender<Handshake>,
    pending: Arc<Pending>,
}

impl Reporter {
    /// Starts the thread. It runs `work` for each handshake and hands its error to `complain`.
    ///
    /// # Errors
    ///
    /// The system refuses to start the thread or what it waits with.
    pub fn start<Work, Task>(work: Work, complain: Complain) -> io::Result<Self>
    where
        Work: Fn(Handshake) -> Task + Send + 'static,
        Task: Future<Output = Result<(), String>> + Send + 'static,
    {
        let (queue, waiting) = mpsc::channel(LONGEST_QUEUE);
        let pending = Arc::new(Pending::default());
        let of_thread = Arc::clone(&pending);
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let run = move || runtime.block_on(run_all(waiting, work, complain, of_thread));
        thread::Builder::new().name("reporter".into()).spawn(run)?;
        Ok(Self { queue, pending })
    }

    /// Queues a handshake. Does not wait.
    ///
    /// # Errors
    ///
    /// The queue is full, or [`finish`](Self::finish) was called. The event is lost; the text says why.
    pub fn take(&self, handshake: Handshake) -> Result<(), String> {
        let refused = |domain: &str, why| format!("no event for {}: {why}", printable(domain));
        if !self.pending.begin() {
            return Err(refused(&handshake.domain, "the map server is ending"));
        }
        self.queue.try_send(handshake).map_err(|error| {
            self.pending.end();
            match error {
                TrySendError::Full(lost) => refused(&lost.domain, "too many connections wait for DNS"),
                TrySendError::Closed(lost) => refused(&lost.domain, "the reporter has ended: restart the map server"),
            }
        })
    }

    /// Takes no more handshakes, and waits at most `grace` for the events of those that it has.
    ///
    /// # Returns
    ///
    /// The number of handshakes whose events were not sent by then. They are lost when the process ends.
    #[must_use]
    pub fn finish(&self, grace: Duration) -> usize {
        self.pending.close(grace)
    }
}

async fn run_all<Work, Task>(
    mut waiting: mpsc::Receiver<Handshake>,
    work: Work,
    complain: Complain,
    pending: Arc<Pending>,
) where
    Work: Fn(Handshake) -> Task,
    Task: Future<Output = Result<(), String>> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(MOST_TASKS));
    while let Some(handshake) = waiting.recv().await {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let (domain, complain, pending) = (handshake.domain.clone(), Arc::clone(&complain), Arc::clone(&pending));
        let task = tokio::spawn(work(handshake));
        tokio::spawn(async move {
            if let Err(problem) = within_deadline(task).await {
                complain(&format!("no event for {}: {}", printable(&domain), printable(&problem)));
            }
            drop(place);
            pending.end();
        });
    }
}

async fn within_deadline(mut task: tokio::task::JoinHandle<Result<(), String>>) -> Result<(), String> {
    match timeout(DEADLINE, &mut task).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err("a task failed by a mistake in this program".into()),
        Err(_) => {
            task.abort();
            Err(format!("DNS: no answer within {} s", DEADLINE.as_secs()))
        }
    }
}

/// The number of handshakes in the queue and in tasks.
#[derive(Debug, Default)]
struct Pending {
    state: Mutex<State>,
    none_left: Condvar,
}

#[derive(Debug, Default)]
struct State {
    count: usize,
    closed: bool,
}

impl Pending {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one more, unless closed.
    fn begin(&self) -> bool {
        let mut state = self.state();
        state.count += usize::from(!state.closed);
        !state.closed
    }

    fn end(&self) {
        let mut state = self.state();
        state.count -= 1;
        if state.count == 0 {
            self.none_left.notify_all();
        }
    }

    fn close(&self, grace: Duration) -> usize {
        let mut state = self.state();
        state.closed = true;
        let ended = self.none_left.wait_timeout_while(state, grace, |state| state.count > 0);
        ended.unwrap_or_else(PoisonError::into_inner).0.count
    }
}

#[cfg(test)]
mod tests {
    use std::future;

    use super::{DEADLINE, timeout, within_deadline};

    /// The clock of the test goes on whenever all tasks wait.
    #[tokio::test(start_paused = true)]
    async fn lookups_without_an_answer_end_at_the_deadline() {
        let lookups = tokio::spawn(future::pending());
        let ended = lookups.abort_handle();
        let outcome = timeout(DEADLINE * 2, within_deadline(lookups)).await;
        assert_eq!(outcome, Ok(Err("DNS: no answer within 30 s".into())));
        tokio::task::yield_now().await;
        assert!(ended.is_finished(), "the task goes on after the deadline");
    }
}
