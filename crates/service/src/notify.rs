//! Notifications to the service manager (`sd_notify(3)`).

use std::time::{Duration, Instant};

use sd_notify::NotifyState;

/// Sends notifications about the state of the service. Without a service manager it sends nothing.
#[derive(Debug)]
pub struct Notifier {
    is_silent: bool,
    /// The interval of the watchdog notifications and the time of the last one. None if the watchdog is not enabled.
    alive: Option<(Duration, Instant)>,
    status: String,
}

impl Notifier {
    /// Sends to the service manager that started this process.
    #[must_use]
    pub fn new() -> Self {
        // Twice as often as the watchdog requires.
        let alive = sd_notify::watchdog_enabled().map(|time| (time / 2, Instant::now()));
        Self { is_silent: false, alive, status: String::new() }
    }

    /// Sends nothing. For a part of a process of which another part sends the notifications.
    #[must_use]
    pub fn silent() -> Self {
        Self { is_silent: true, alive: None, status: String::new() }
    }

    /// Notifies that the service has started.
    pub fn ready(&self) {
        self.tell(NotifyState::Ready);
    }

    /// Notifies that the service is ending.
    pub fn stopping(&self) {
        self.tell(NotifyState::Stopping);
    }

    /// How long the service may wait before it calls [`Self::alive`] again, at most `longest`.
    #[must_use]
    pub fn pause(&self, longest: Duration) -> Duration {
        self.alive.map_or(longest, |(interval, _)| interval.min(longest))
    }

    /// Notifies the watchdog that the service works, if the interval has passed since the last notification.
    pub fn alive(&mut self) {
        if self.alive.is_some_and(|(interval, last)| last.elapsed() >= interval) {
            self.tell(NotifyState::Watchdog);
            self.alive = self.alive.map(|(interval, _)| (interval, Instant::now()));
        }
    }

    /// Sends the status line of the service, if it has changed.
    pub fn status(&mut self, status: String) {
        if status != self.status {
            self.tell(NotifyState::Status(&status));
            self.status = status;
        }
    }

    fn tell(&self, what: NotifyState<'_>) {
        if !self.is_silent {
            // The service works without the service manager, so an error here is ignored.
            let _ = sd_notify::notify(&[what]);
        }
    }
}

impl Default for Notifier {
    fn default() -> Self {
        Self::new()
    }
}
