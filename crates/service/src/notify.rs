//! What the service manager is told (`sd_notify(3)`).

use std::time::{Duration, Instant};

use sd_notify::NotifyState;

/// Tells the service manager how a service is doing. Without a service manager, it tells nothing.
#[derive(Debug)]
pub struct Notifier {
    is_silent: bool,
    /// How often to say that the service is alive, and when it was said last. None where nobody asks.
    alive: Option<(Duration, Instant)>,
    status: String,
}

impl Notifier {
    /// Tells the service manager that started this process.
    #[must_use]
    pub fn new() -> Self {
        // Twice as often as the service manager asks for.
        let alive = sd_notify::watchdog_enabled().map(|time| (time / 2, Instant::now()));
        Self { is_silent: false, alive, status: String::new() }
    }

    /// Tells nothing: another part of the process does.
    #[must_use]
    pub fn silent() -> Self {
        Self { is_silent: true, alive: None, status: String::new() }
    }

    /// The service does its work from now on.
    pub fn ready(&self) {
        self.tell(NotifyState::Ready);
    }

    /// The service ends.
    pub fn stopping(&self) {
        self.tell(NotifyState::Stopping);
    }

    /// How long the service may wait before it calls [`Self::alive`] again, at most `longest`.
    #[must_use]
    pub fn pause(&self, longest: Duration) -> Duration {
        self.alive.map_or(longest, |(interval, _)| interval.min(longest))
    }

    /// The watchdog need not restart the service. Told no more often than the service manager needs it.
    pub fn alive(&mut self) {
        if self.alive.is_some_and(|(interval, last)| last.elapsed() >= interval) {
            self.tell(NotifyState::Watchdog);
            self.alive = self.alive.map(|(interval, _)| (interval, Instant::now()));
        }
    }

    /// How the service is doing, in one line. Told where it has changed.
    pub fn status(&mut self, status: String) {
        if status != self.status {
            self.tell(NotifyState::Status(&status));
            self.status = status;
        }
    }

    fn tell(&self, what: NotifyState<'_>) {
        if !self.is_silent {
            // The work is not for the service manager: where it does not listen, the work goes on.
            let _ = sd_notify::notify(&[what]);
        }
    }
}

impl Default for Notifier {
    fn default() -> Self {
        Self::new()
    }
}
