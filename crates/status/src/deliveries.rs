//! Deliveries of reports that failed for good.

use jiff::civil::Date;
use tlsrpt_store::DeliveryState;

use crate::stored::{RECENT_REPORTS, Reports, Stored};

/// The failed deliveries of the reports about a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FailedDeliveries {
    day: Date,
    failed: u64,
    delivered: u64,
}

/// Those about the days whose deliveries may have ended lately.
pub(crate) fn failed_deliveries(stored: &Stored) -> impl Iterator<Item = FailedDeliveries> {
    stored.reports_by_day.iter().take(RECENT_REPORTS.into()).filter_map(FailedDeliveries::of)
}

impl FailedDeliveries {
    fn of(reports: &Reports) -> Option<Self> {
        let failed = reports.in_state(DeliveryState::Failed);
        (failed > 0).then(|| Self { day: reports.day, failed, delivered: reports.in_state(DeliveryState::Delivered) })
    }

    /// A destination that refuses a report is its owner's business: whoever publishes a record could make this host need attention.
    /// If most do, this host is the reason.
    pub(crate) fn needs_attention(self) -> bool {
        self.failed > self.delivered
    }

    /// The fact and where to look, on one line.
    pub(crate) fn in_words(self) -> String {
        let Self { day, failed, delivered } = self;
        let ended = failed.saturating_add(delivered);
        format!(
            "reports: {failed} of {ended} deliveries about {day} failed for good; see why: tlsrpt reports list --day {day} --state failed"
        )
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use tlsrpt_store::DeliveryState;

    use super::FailedDeliveries;
    use crate::stored::Reports;

    #[test]
    fn most_failed_deliveries_need_attention_and_a_few_do_not() {
        let of = |failed, delivered| {
            let deliveries = vec![(DeliveryState::Failed, failed), (DeliveryState::Delivered, delivered)];
            FailedDeliveries::of(&Reports { day: date(2026, 11, 28), made: 20, deliveries })
        };
        assert_eq!(of(0, 7), None);
        for (failed, delivered, expected) in [(1, 0, true), (1, 1, false), (3, 2, true), (1, 11, false)] {
            assert_eq!(of(failed, delivered).unwrap().needs_attention(), expected, "{failed} {delivered}");
        }
        let words = of(1, 11).unwrap().in_words();
        assert!(words.starts_with("reports: 1 of 12 deliveries about 2026-11-28 failed for good; "), "{words}");
    }
}
