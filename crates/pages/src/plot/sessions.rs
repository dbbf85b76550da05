//! The sessions by day.

use jiff::civil::Date;
use maud::{Markup, html};

use super::days::{Day, Days, Series};
use crate::words::{grouped, number_of};

/// Sessions that met their policy.
const MET: Series = Series { name: "policy met", class: "met" };
/// Sessions that did not.
const FAILED: Series = Series { name: "failed", class: "failed" };

/// The sessions of a day.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sessions {
    pub(crate) day: Date,
    pub(crate) failed: u64,
    pub(crate) met: u64,
}

impl Sessions {
    fn column(self, parts: Vec<u64>) -> Day {
        let all = number_of(self.failed.saturating_add(self.met), "session");
        Day { day: self.day, parts, words: format!("{all}, {} failed", grouped(self.failed)) }
    }
}

/// All sessions. The newest day first.
pub(crate) fn sessions(days: &[Sessions]) -> Markup {
    let days: Vec<_> = days.iter().map(|day| day.column(vec![day.failed, day.met])).collect();
    Days { title: "Sessions", series: &[FAILED, MET], days: &days }.draw()
}

/// The failed ones on a scale of their own. Nothing if there are none.
pub(crate) fn failed_sessions(days: &[Sessions]) -> Markup {
    let columns: Vec<_> = days.iter().map(|day| day.column(vec![day.failed])).collect();
    html! {
        @if days.iter().any(|day| day.failed > 0) {
            (Days { title: "Failed sessions", series: &[FAILED], days: &columns }.draw())
        }
    }
}
