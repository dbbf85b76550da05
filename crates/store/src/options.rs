//! How a store is opened.

/// How many different domains, policies and failures one day may have. Strangers choose the names of domains and the
/// texts of policies, so without a limit they fill the disk.
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
}

impl Default for Limits {
    /// No limits.
    fn default() -> Self {
        Self { domains: u64::MAX, policies: u64::MAX, failures: u64::MAX }
    }
}

/// What a power cut may take. Killing the process takes nothing that [`crate::Store::add`] has returned for in either case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// Nothing: each batch is on the disk when [`crate::Store::add`] returns.
    #[default]
    Full,
    /// The batches since the last checkpoint. The store stays whole.
    Normal,
}

/// How a store is opened for writing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// The limits of each day.
    pub limits: Limits,
    /// What a power cut may take.
    pub synchronous: Synchronous,
}
