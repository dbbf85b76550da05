//! Public keys in DNS (RFC 6376 section 3.6.1).

use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::VerifyingKey;
use rsa::{Pkcs1v15Sign, RsaPublicKey, pkcs1::DecodeRsaPublicKey, pkcs8::DecodePublicKey, traits::PublicKeyParts};
use sha2::Sha256;

use super::tags::Tags;

/// The fewest bits of an RSA key (RFC 8301).
const FEWEST_BITS: usize = 1024;
/// The service type of reports (RFC 8460 section 3).
const SERVICE: &str = "tlsrpt";

/// A public key.
#[derive(Debug)]
pub(super) enum Key {
    Rsa(Box<RsaPublicKey>),
    Ed25519(Box<VerifyingKey>),
}

impl Key {
    /// The key in a record, for signatures with this algorithm (`k=`). The error says why it cannot verify reports.
    pub(super) fn of(record: &str, algorithm: &str) -> Result<Self, String> {
        let tags = Tags::of(record).ok_or("the record of the key is not a list of tags")?;
        if tags.get("v").is_some_and(|version| version != "DKIM1") {
            return Err("the record of the key is not one of DKIM".into());
        }
        if tags.get("k").unwrap_or("rsa") != algorithm {
            return Err(format!("the key is not one for {algorithm}"));
        }
        if !tags.permits("h", &["sha256"]) {
            return Err("the key does not permit sha256".into());
        }
        if !tags.permits("s", &["*", SERVICE]) {
            return Err(format!("the key does not permit reports: its s= is without {SERVICE}"));
        }
        let public = tags.packed("p").ok_or("the record of the key has no p=")?;
        if public.is_empty() {
            return Err("the key is revoked".into());
        }
        let public = STANDARD.decode(public).map_err(|_| "p= of the key is not base64")?;
        if algorithm == "rsa" { Self::rsa(&public) } else { Self::ed25519(&public) }
    }

    fn rsa(public: &[u8]) -> Result<Self, String> {
        let key = RsaPublicKey::from_public_key_der(public).ok().or_else(|| RsaPublicKey::from_pkcs1_der(public).ok());
        let key = key.ok_or("p= of the key holds no RSA key")?;
        if key.n().bits() < FEWEST_BITS {
            return Err(format!("the RSA key has less than {FEWEST_BITS} bits"));
        }
        Ok(Self::Rsa(Box::new(key)))
    }

    fn ed25519(public: &[u8]) -> Result<Self, String> {
        let key = <[u8; 32]>::try_from(public).ok().and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok());
        Ok(Self::Ed25519(Box::new(key.ok_or("p= of the key holds no Ed25519 key")?)))
    }

    /// Whether the signature is one of this key for a text with this SHA-256.
    pub(super) fn verifies(&self, hash: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Rsa(key) => key.verify(Pkcs1v15Sign::new::<Sha256>(), hash, signature).is_ok(),
            Self::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(hash, &signature).is_ok()),
        }
    }
}
