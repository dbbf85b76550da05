//! The options for opening a store.

/// The most different domains, policies and failures of one day, and the most bytes. Other hosts choose the names of domains
/// and the texts of policies, so without limits they could fill the disk.
///
/// Sessions beyond a limit are counted in one row: [`crate::OTHER_DOMAINS`] for domains, `None` for policies and failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Domains of a day.
    pub domains: u64,
    /// Combinations of domain, TLSRPT record and policy of a day.
    pub policies: u64,
    /// Combinations of such a policy with a failure and its details of a day.
    pub failures: u64,
    /// Bytes of the whole store. While it has more, it takes no new domains, policies and failures: the limits of the day
    /// count as reached. Only for a store in a file.
    pub size: u64,
}

impl Default for Limits {
    /// No limits.
    fn default() -> Self {
        Self { domains: u64::MAX, policies: u64::MAX, failures: u64::MAX, size: u64::MAX }
    }
}

/// The loss after a power cut. In both cases, killing the process loses no batch for which [`crate::Store::add`] has
/// returned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// No batch: each is on the disk when [`crate::Store::add`] returns.
    #[default]
    Full,
    /// The batches since the last checkpoint. The store stays consistent.
    Normal,
}

/// The options for opening a store to write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// The limits of each day.
    pub limits: Limits,
    /// The loss after a power cut.
    pub synchronous: Synchronous,
}
