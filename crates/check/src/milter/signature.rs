//! The signature of a mail.

use std::path::PathBuf;

/// The signature of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signature {
    pub(crate) domain: String,
    pub(crate) selector: String,
    /// The file of the private key.
    pub(crate) key: PathBuf,
}

/// The domain of an address.
pub(crate) fn domain_of(address: &str) -> &str {
    address.rsplit('@').next().unwrap_or(address)
}
