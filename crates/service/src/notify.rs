//! What the service manager is told (`sd_notify(3)`). Without one, nothing.

use std::time::Duration;

use sd_notify::NotifyState;

/// The service does its work from now on.
pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// The service ends.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// How it is doing, in one line.
pub fn status(text: &str) {
    tell(&[NotifyState::Status(text)]);
}

/// The watchdog need not restart the service.
pub fn alive() {
    tell(&[NotifyState::Watchdog]);
}

/// How often to say that it is alive: twice as often as the service manager asks for. None where it does not ask.
#[must_use]
pub fn interval() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|time| time / 2)
}

fn tell(what: &[NotifyState<'_>]) {
    // The work is not for the service manager: where it does not listen, the work goes on.
    let _ = sd_notify::notify(what);
}
