//! The DKIM signature of report mails (RFC 6376; RFC 8463 for Ed25519). Receivers ignore unsigned reports (RFC 8460 section 3).

use std::{fmt, fs, io, path::Path};

use lettre::{
    Message,
    message::{
        dkim::{DkimCanonicalization, DkimCanonicalizationType, DkimConfig, DkimSigningAlgorithm, DkimSigningKey},
        header::HeaderName,
    },
};
use pkcs8::{DecodePrivateKey, der::pem::LineEnding};
use rsa::{RsaPrivateKey, pkcs1::EncodeRsaPrivateKey};

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
/// The largest key file, in bytes.
const LARGEST_KEY_FILE: u64 = 64 << 10;

/// Signs mails.
pub struct DkimSigner(DkimConfig);

impl fmt::Debug for DkimSigner {
    /// Without the key.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("DkimSigner")
    }
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read.
    #[error("cannot read the DKIM key: {0}")]
    Read(#[from] io::Error),
    /// The file holds no private key that is known here.
    #[error("the file holds no RSA or Ed25519 private key in PEM; make one with: openssl genrsa -out FILE 2048")]
    Unknown,
}

impl DkimSigner {
    /// A signer with the key of a PEM file: RSA in PKCS #1 or PKCS #8, Ed25519 in PKCS #8, as OpenSSL writes them.
    ///
    /// # Errors
    ///
    /// [`KeyError`] where the file cannot be read or holds no such key.
    pub fn from_file(domain: &str, selector: &str, file: &Path) -> Result<Self, KeyError> {
        if fs::metadata(file)?.len() > LARGEST_KEY_FILE {
            return Err(KeyError::Unknown);
        }
        Self::new(domain, selector, &fs::read_to_string(file)?)
    }

    /// A signer with this key in PEM.
    ///
    /// # Errors
    ///
    /// [`KeyError::Unknown`] where it is no key that is known here.
    pub fn new(domain: &str, selector: &str, pem: &str) -> Result<Self, KeyError> {
        let headers = SIGNED.iter().filter_map(|name| HeaderName::new_from_ascii((*name).into()).ok()).collect();
        let canonicalization =
            DkimCanonicalization { header: DkimCanonicalizationType::Relaxed, body: DkimCanonicalizationType::Relaxed };
        let key = key(pem).ok_or(KeyError::Unknown)?;
        Ok(Self(DkimConfig::new(selector.into(), domain.into(), key, headers, canonicalization)))
    }

    /// Adds the signature to a mail.
    pub fn sign(&self, mail: &mut Message) {
        mail.sign(&self.0);
    }
}

fn key(pem: &str) -> Option<DkimSigningKey> {
    let rsa = |pem: &str| DkimSigningKey::new(pem, DkimSigningAlgorithm::Rsa).ok();
    rsa(pem).or_else(|| rsa(&RsaPrivateKey::from_pkcs8_pem(pem).ok()?.to_pkcs1_pem(LineEnding::LF).ok()?)).or_else(
        || {
            let key = ed25519_dalek::SigningKey::from_pkcs8_pem(pem).ok()?;
            DkimSigningKey::new(&lettre_base64(key.as_bytes()), DkimSigningAlgorithm::Ed25519).ok()
        },
    )
}

/// The form in which lettre takes an Ed25519 key.
fn lettre_base64(bytes: &[u8]) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    STANDARD.encode(bytes)
}
