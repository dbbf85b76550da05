//! How much is read.

/// How much is read beside the counters.
#[derive(Debug, Clone, Copy)]
pub struct Extent {
    /// Check the whole store, which may take long.
    pub integrity: bool,
    /// The number of days before today whose reports and deliveries are counted, yesterday first. At least two days are.
    pub report_days: u8,
}
