//! What a report is being read with.

use crate::{departure::Departures, limits};

/// What has been noted so far about a report that is being read.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) departures: Departures,
    pub(super) texts: Texts,
    /// The policies, failures and lines beyond the limits.
    pub(super) left_out: u64,
    /// How many failures were kept so far.
    pub(super) failures: usize,
}

/// Cuts long texts, and counts them.
#[derive(Debug, Default)]
pub(super) struct Texts {
    pub(super) shortened: u64,
}

impl Texts {
    /// The text without what is over the limit.
    pub(super) fn short(&mut self, text: &str) -> String {
        if text.len() <= limits::TEXT {
            return text.into();
        }
        self.shortened += 1;
        let mut end = limits::TEXT;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.get(..end).unwrap_or_default().into()
    }
}
