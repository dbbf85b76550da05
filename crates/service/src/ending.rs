//! Decides when a service ends.

use std::{
    io, ptr,
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    thread,
    time::{Duration, Instant},
};

use nix::libc;
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
    low_level::emulate_default_handler,
};

/// Waits until the service is to end.
#[derive(Debug)]
pub struct Ending {
    ends: Receiver<()>,
    /// On the monotonic clock.
    deadline: Option<Instant>,
}

/// Requests the end of the service. Each worker has one.
#[derive(Debug, Clone)]
pub struct EndSignal(Sender<()>);

impl Ending {
    /// Installs the signal handlers: the first SIGINT, SIGTERM or SIGHUP ends the service in order, a second signal
    /// ends the process at once. With `after`, the service also ends when that time has passed. If SIGHUP is ignored,
    /// as under `nohup`, it stays ignored.
    ///
    /// Call it before creating anything that must be removed at the end.
    ///
    /// # Errors
    ///
    /// The system installs no handler or starts no thread.
    pub fn new(after: Option<Duration>) -> io::Result<(Self, EndSignal)> {
        let mut watched = vec![SIGINT, SIGTERM];
        if !is_ignored(SIGHUP)? {
            watched.push(SIGHUP);
        }
        let (end, ends) = mpsc::channel();
        let end = EndSignal(end);
        let mut signals = Signals::new(watched)?;
        let on_signal = end.clone();
        thread::Builder::new().name("signals".into()).spawn(move || {
            for (earlier, signal) in signals.forever().enumerate() {
                if earlier == 0 {
                    on_signal.end();
                } else {
                    // Fails only when the process is ending anyway.
                    let _ = emulate_default_handler(signal);
                }
            }
        })?;
        let deadline = after.and_then(|after| Instant::now().checked_add(after));
        Ok((Self { ends, deadline }, end))
    }

    /// For a part of a service: it ends when the returned [`EndSignal`] is used, and installs no signal handlers.
    #[must_use]
    pub fn of_part() -> (Self, EndSignal) {
        let (end, ends) = mpsc::channel();
        (Self { ends, deadline: None }, EndSignal(end))
    }

    /// Returns when the service is to end: after a signal, at the deadline, or because a worker has ended.
    pub fn wait(&self) {
        // An error means the end too: the deadline has passed, or no sender is left.
        let _ = match self.deadline {
            Some(deadline) => self.ends.recv_timeout(deadline.saturating_duration_since(Instant::now())),
            None => self.ends.recv().map_err(RecvTimeoutError::from),
        };
    }

    /// Like [`Self::wait`], but for at most `time`. Returns whether the service is to end.
    #[must_use]
    pub fn wait_for(&self, time: Duration) -> bool {
        let now = Instant::now();
        let left = self.deadline.map(|deadline| deadline.saturating_duration_since(now));
        let waited = self.ends.recv_timeout(left.map_or(time, |left| left.min(time)));
        waited != Err(RecvTimeoutError::Timeout) || left.is_some_and(|left| left <= time)
    }
}

impl EndSignal {
    /// Ends the service.
    pub fn end(&self) {
        // Fails only if the receiver is gone: the service is ending already.
        let _ = self.0.send(());
    }
}

/// Whether the process was started with the signal ignored.
fn is_ignored(signal: libc::c_int) -> io::Result<bool> {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: sigaction() accepts NULL as the new action and changes nothing then; the third argument points to
    // writable memory for one sigaction, and `action` is that.
    let outcome = unsafe { libc::sigaction(signal, ptr::null(), action.as_mut_ptr()) };
    if outcome != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: `action` must be initialized: sigaction() succeeded, so it has written the whole structure.
    let action = unsafe { action.assume_init() };
    Ok(action.sa_sigaction == libc::SIG_IGN)
}
