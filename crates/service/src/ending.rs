//! Decides the end of a service.

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

/// Waits for the end.
#[derive(Debug)]
pub struct Ending {
    ends: Receiver<()>,
    /// By the clock that does not jump.
    deadline: Option<Instant>,
}

/// Ends the service. Every part of the work has one.
#[derive(Debug, Clone)]
pub struct EndSignal(Sender<()>);

impl Ending {
    /// From here on SIGINT, SIGTERM and SIGHUP end the service in order, and a second signal ends the process at once.
    /// `after` ends it too, counted from now. A SIGHUP that is ignored, as `nohup` does, stays ignored.
    ///
    /// To be called before anything exists that must be removed at the end.
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

    /// Ends a part of a service, which another part ends by the signal.
    #[must_use]
    pub fn of_part() -> (Self, EndSignal) {
        let (end, ends) = mpsc::channel();
        (Self { ends, deadline: None }, EndSignal(end))
    }

    /// Returns when the service is to end: by a signal, by the time, or because a part of the work has ended.
    pub fn wait(&self) {
        // An error is the end too: of the time, or of everyone who could end it.
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
        // Nobody waits any more when the end came from elsewhere.
        let _ = self.0.send(());
    }
}

/// Whether the process was started with the signal ignored.
fn is_ignored(signal: libc::c_int) -> io::Result<bool> {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: the new action is NULL, so nothing changes; the old one is written to a place of its type.
    let outcome = unsafe { libc::sigaction(signal, ptr::null(), action.as_mut_ptr()) };
    if outcome != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so it has written the whole action.
    let action = unsafe { action.assume_init() };
    Ok(action.sa_sigaction == libc::SIG_IGN)
}
