//! The signature of a mail.

use std::path::PathBuf;

/// The signature of a mail, as the configuration of who signs has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signature {
    pub(crate) domain: String,
    pub(crate) selector: String,
    /// The file of the private key.
    pub(crate) key: PathBuf,
}

/// A mail that takes a report, as far as it decides on its signature.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mail<'a> {
    /// The address in From.
    pub(crate) from: &'a str,
    /// An envelope sender: that of a mail has other text before the `@`.
    pub(crate) envelope: &'a str,
}

impl<'a> Mail<'a> {
    /// The domain that has to sign.
    pub(crate) fn domain(&self) -> &'a str {
        domain_of(self.from)
    }
}

/// The domain of an address.
pub(crate) fn domain_of(address: &str) -> &str {
    address.rsplit('@').next().unwrap_or(address)
}

/// How a mail is signed, as the configuration of who signs says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Signing {
    /// Not at all, and why.
    Nothing(String),
    /// It cannot be looked up, and why.
    Unknown(String),
    /// By these signatures, at least one, all of the same domain: that of From, if one is.
    By(Vec<Signature>),
}
