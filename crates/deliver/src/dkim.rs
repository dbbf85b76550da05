//! The DKIM signature of report mails (RFC 6376; RFC 8463 for Ed25519). Receivers ignore unsigned reports (RFC 8460 section 3).

use std::{fmt, path::Path};

use lettre::{
    Message,
    message::{
        dkim::{DkimCanonicalization, DkimCanonicalizationType, DkimConfig},
        header::HeaderName,
    },
};

use crate::dkim_key::{DkimKey, KeyError};

/// The header fields that are signed, where the mail has them. There is never a body length ("l="), as RFC 8460 section 3 demands.
const SIGNED: [&str; 12] = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "TLS-Report-Domain",
    "TLS-Report-Submitter",
    "TLS-Required",
    "Auto-Submitted",
    "Reply-To",
];
/// Signs mails.
pub struct DkimSigner(DkimConfig);

impl fmt::Debug for DkimSigner {
    /// Without the key.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("DkimSigner")
    }
}

impl DkimSigner {
    /// A signer with the key of a PEM file, see [`DkimKey::from_file`].
    ///
    /// # Errors
    ///
    /// [`KeyError`] where the file cannot be read or holds no such key.
    pub fn from_file(domain: &str, selector: &str, file: &Path) -> Result<Self, KeyError> {
        Self::of_key(domain, selector, &DkimKey::from_file(file)?)
    }

    /// A signer with this key in PEM.
    ///
    /// # Errors
    ///
    /// [`KeyError::Unknown`] where it is no key that is known here.
    pub fn new(domain: &str, selector: &str, pem: &str) -> Result<Self, KeyError> {
        Self::of_key(domain, selector, &DkimKey::from_pem(pem)?)
    }

    fn of_key(domain: &str, selector: &str, key: &DkimKey) -> Result<Self, KeyError> {
        let headers = SIGNED.iter().filter_map(|name| HeaderName::new_from_ascii((*name).into()).ok()).collect();
        let canonicalization =
            DkimCanonicalization { header: DkimCanonicalizationType::Relaxed, body: DkimCanonicalizationType::Relaxed };
        let key = key.for_signing().ok_or(KeyError::Unknown)?;
        Ok(Self(DkimConfig::new(selector.into(), domain.into(), key, headers, canonicalization)))
    }

    /// Adds the signature to a mail.
    pub fn sign(&self, mail: &mut Message) {
        mail.sign(&self.0);
    }
}
