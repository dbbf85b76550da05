//! A time-out that counts only the time in which the process runs.

use std::time::Duration;

/// How long to wait, all in all. A time in which the process is stopped, or the host stands still, counts as one step, so
/// that what is waited for has its time afterwards.
#[derive(Debug)]
pub struct Patience {
    steps: u128,
}

const STEP: Duration = Duration::from_millis(50);

impl Patience {
    /// This long, rounded up to whole steps.
    #[must_use]
    pub fn of(time: Duration) -> Self {
        Self { steps: time.as_nanos().div_ceil(STEP.as_nanos()) }
    }

    /// Calls `wait`, which may take as long as it is told, until it returns something. None if the time is up. With no time
    /// left it is called once, without time.
    pub(crate) fn wait<T>(&mut self, mut wait: impl FnMut(Duration) -> Option<T>) -> Option<T> {
        while self.steps > 0 {
            if let Some(found) = wait(STEP) {
                return Some(found);
            }
            self.steps -= 1;
        }
        wait(Duration::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use std::{thread, time::Duration};

    use super::{Patience, STEP};

    #[test]
    fn a_wait_of_any_length_is_one_step() {
        let mut patience = Patience::of(3 * STEP);
        let mut waits = Vec::new();
        // The process is stopped in the first step for longer than the whole time.
        let found = patience.wait(|time| {
            if waits.is_empty() {
                thread::sleep(4 * time);
            }
            waits.push(time);
            None::<()>
        });
        assert_eq!((found, waits), (None, vec![STEP, STEP, STEP, Duration::ZERO]));
    }

    #[test]
    fn several_waits_share_the_time() {
        let mut patience = Patience::of(3 * STEP);
        let mut waits = 0;
        let third = |_| {
            waits += 1;
            (waits == 3).then_some(())
        };
        assert_eq!(patience.wait(third), Some(()));
        let mut last = Vec::new();
        let none = |time| {
            last.push(time);
            None::<()>
        };
        assert_eq!(patience.wait(none), None);
        assert_eq!(last, [STEP, Duration::ZERO]);
    }
}
