//! Judges the sessions of a domain since the last judgement.

/// How many sessions must fail for an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threshold {
    /// The least failed sessions.
    pub count: u64,
    /// The least percentage of failed sessions, from 1 to 100.
    pub rate: u64,
}

/// What the sessions say about a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// There are too few of them. Later ones are added.
    TooFew,
    /// They fail.
    Fails,
    /// Enough of them succeed.
    Works,
}

impl Threshold {
    /// Judges sessions: how many there were, and how many of them failed.
    pub(crate) fn judge(self, events: u64, failed: u64) -> Judgement {
        let fails = u128::from(failed) * 100 >= u128::from(events) * u128::from(self.rate);
        let succeeded = events.saturating_sub(failed);
        if fails && failed >= self.count {
            Judgement::Fails
        } else if !fails && (failed >= self.count || succeeded >= self.count) {
            Judgement::Works
        } else {
            Judgement::TooFew
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Judgement, Threshold};

    #[test]
    fn a_domain_fails_by_number_and_by_percentage() {
        let judge = |events, failed| Threshold { count: 5, rate: 50 }.judge(events, failed);
        assert_eq!(judge(0, 0), Judgement::TooFew);
        assert_eq!(judge(4, 4), Judgement::TooFew);
        assert_eq!(judge(5, 5), Judgement::Fails);
        assert_eq!(judge(10, 5), Judgement::Fails);
        assert_eq!(judge(11, 5), Judgement::Works);
        assert_eq!(judge(5, 0), Judgement::Works);
        // Four of each, so either may come true yet.
        assert_eq!(judge(8, 4), Judgement::TooFew);
        assert_eq!(judge(u64::MAX, u64::MAX), Judgement::Fails);
        assert_eq!(Threshold { count: 1, rate: 100 }.judge(100, 99), Judgement::Works);
    }
}
