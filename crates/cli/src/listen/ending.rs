//! When listening ends.

use std::{
    io,
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    thread,
    time::{Duration, Instant},
};

use signal_hook::{
    consts::{SIGINT, SIGTERM},
    iterator::Signals,
    low_level::emulate_default_handler,
};

/// Waits for the end.
pub(crate) struct Ending {
    ends: Receiver<()>,
    /// By the clock that does not jump.
    deadline: Option<Instant>,
}

impl Ending {
    /// From here on SIGINT and SIGTERM end the process in order; a second one ends it at once.
    pub(crate) fn new(after: Option<Duration>) -> io::Result<(Self, Sender<()>)> {
        let (end, ends) = mpsc::channel();
        let mut signals = Signals::new([SIGINT, SIGTERM])?;
        let on_signal = end.clone();
        thread::spawn(move || {
            for (earlier, signal) in signals.forever().enumerate() {
                // Fails only when the process is ending anyway.
                let _ = if earlier == 0 { on_signal.send(()).is_ok() } else { emulate_default_handler(signal).is_ok() };
            }
        });
        let deadline = after.and_then(|after| Instant::now().checked_add(after));
        Ok((Self { ends, deadline }, end))
    }

    /// Returns when it is over: by a signal, by the time, or because a part of the work has ended.
    pub(crate) fn wait(&self) {
        // An error is the end too: of the time, or of everyone who could end it.
        let _ = match self.deadline {
            Some(deadline) => self.ends.recv_timeout(deadline.saturating_duration_since(Instant::now())),
            None => self.ends.recv().map_err(RecvTimeoutError::from),
        };
    }
}
