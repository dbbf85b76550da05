//! The private key of DKIM signatures, and whether the DNS record of its public half lets receivers verify reports.

use std::{borrow::Cow, fmt, fs, io, path::Path};

use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::SigningKey;
use lettre::message::dkim::{DkimSigningAlgorithm, DkimSigningKey};
use pkcs8::{DecodePrivateKey, EncodePublicKey, der::pem::LineEnding};
use rsa::{
    RsaPrivateKey,
    pkcs1::{DecodeRsaPrivateKey, EncodeRsaPrivateKey, EncodeRsaPublicKey},
    traits::PublicKeyParts,
};

/// The largest key file, in bytes.
const LARGEST_KEY_FILE: u64 = 64 << 10;
/// The service type of reports (RFC 8460 section 3), which limits a key to them.
const SERVICE: &str = "tlsrpt";

/// A private key for DKIM.
pub struct DkimKey(Private);

enum Private {
    Rsa(Box<RsaPrivateKey>),
    Ed25519(Box<SigningKey>),
}

impl fmt::Debug for DkimKey {
    /// Without the key.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("DkimKey")
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

/// Why receivers cannot verify signatures of a key by the records in DNS.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordProblem {
    /// There is no record.
    #[error("there is no TXT record")]
    Missing,
    /// Receivers take any of them, or none (RFC 6376 section 3.6.2.2).
    #[error("there are {0} TXT records, of which receivers take any or none")]
    Several(usize),
    /// It is not written as RFC 6376 section 3.6.1 has it.
    #[error("the record is not one of a DKIM key: {0}")]
    Malformed(&'static str),
    /// `p=` is empty.
    #[error("the record revokes the key: p= is empty")]
    Revoked,
    /// `k=` is of another algorithm than the key.
    #[error("the record has k={found}, and the key file has a key for k={wanted}")]
    OtherAlgorithm {
        /// What the record has.
        found: String,
        /// What the key needs.
        wanted: &'static str,
    },
    /// `h=` does not have SHA-256.
    #[error("the record permits h={0}, without sha256")]
    OtherHash(String),
    /// `p=` is the public half of another key.
    #[error("the record has another public key than that of the key file")]
    OtherKey,
    /// `s=` leaves out reports.
    #[error("the record permits s={0}, without tlsrpt")]
    OtherService(String),
}

/// Whether the TXT records at the name of a selector have a public key for reports, whichever private key it belongs to.
///
/// # Errors
///
/// The first [`RecordProblem`].
pub fn permits_reports(records: &[Vec<u8>]) -> Result<(), RecordProblem> {
    let text = only(records)?;
    let record = Record::read(&text)?;
    record.public_key()?;
    record.permits_reports()
}

fn only(records: &[Vec<u8>]) -> Result<Cow<'_, str>, RecordProblem> {
    match records {
        [] => Err(RecordProblem::Missing),
        [record] => Ok(String::from_utf8_lossy(record)),
        several => Err(RecordProblem::Several(several.len())),
    }
}

/// The record of a key in DNS.
struct Record<'t>(Vec<(&'t str, &'t str)>);

impl<'t> Record<'t> {
    fn read(text: &'t str) -> Result<Self, RecordProblem> {
        let record = Self(tags(text)?);
        let is_later = record.0.iter().skip(1).any(|(name, _)| *name == "v");
        if is_later || record.value("v").is_some_and(|version| version != "DKIM1") {
            return Err(RecordProblem::Malformed("v=DKIM1 must be the first tag"));
        }
        Ok(record)
    }

    fn value(&self, name: &str) -> Option<&'t str> {
        self.0.iter().find(|(found, _)| *found == name).map(|(_, value)| *value)
    }

    /// The text of `p=`.
    fn public_key(&self) -> Result<String, RecordProblem> {
        let public = self.value("p").ok_or(RecordProblem::Malformed("it has no p="))?;
        let public: String = public.split_whitespace().collect();
        if public.is_empty() { Err(RecordProblem::Revoked) } else { Ok(public) }
    }

    fn permits_reports(&self) -> Result<(), RecordProblem> {
        let permits = |list: &str, wanted: &[&str]| list.split(':').any(|item| wanted.contains(&item.trim()));
        if let Some(hashes) = self.value("h").filter(|list| !permits(list, &["sha256"])) {
            return Err(RecordProblem::OtherHash(hashes.into()));
        }
        match self.value("s").filter(|list| !permits(list, &["*", SERVICE])) {
            Some(services) => Err(RecordProblem::OtherService(services.into())),
            None => Ok(()),
        }
    }
}

impl DkimKey {
    /// The key in a PEM file: RSA in PKCS #1 or PKCS #8, Ed25519 in PKCS #8, as OpenSSL writes them.
    ///
    /// # Errors
    ///
    /// [`KeyError`] where the file cannot be read or holds no such key.
    pub fn from_file(file: &Path) -> Result<Self, KeyError> {
        if fs::metadata(file)?.len() > LARGEST_KEY_FILE {
            return Err(KeyError::Unknown);
        }
        let bytes = fs::read(file)?;
        Self::from_pem(std::str::from_utf8(&bytes).map_err(|_| KeyError::Unknown)?)
    }

    /// The same key as text.
    ///
    /// # Errors
    ///
    /// [`KeyError::Unknown`] where it is no key that is known here.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let rsa = RsaPrivateKey::from_pkcs1_pem(pem).ok().or_else(|| RsaPrivateKey::from_pkcs8_pem(pem).ok());
        if let Some(key) = rsa {
            return Ok(Self(Private::Rsa(Box::new(key))));
        }
        let key = SigningKey::from_pkcs8_pem(pem).map_err(|_| KeyError::Unknown)?;
        Ok(Self(Private::Ed25519(Box::new(key))))
    }

    /// The key as the library that signs takes it.
    pub(crate) fn for_signing(&self) -> Option<DkimSigningKey> {
        let (text, algorithm) = match &self.0 {
            Private::Rsa(key) => {
                (key.to_pkcs1_pem(LineEnding::LF).ok()?.as_str().to_owned(), DkimSigningAlgorithm::Rsa)
            }
            Private::Ed25519(key) => (STANDARD.encode(key.as_bytes()), DkimSigningAlgorithm::Ed25519),
        };
        DkimSigningKey::new(&text, algorithm).ok()
    }

    /// The record to publish, which limits the key to reports.
    #[must_use]
    pub fn record(&self) -> String {
        self.record_with(&format!("s={SERVICE}; "))
    }

    /// The record to publish for a key that signs other mails too.
    #[must_use]
    pub fn record_for_all_mails(&self) -> String {
        self.record_with("")
    }

    fn record_with(&self, services: &str) -> String {
        let public = self.public().into_iter().next().unwrap_or_default();
        format!("v=DKIM1; k={}; {services}p={}", self.algorithm(), STANDARD.encode(public))
    }

    /// Whether receivers can verify the reports that this key signs by the TXT records at the name of its selector.
    ///
    /// # Errors
    ///
    /// The first [`RecordProblem`].
    pub fn verify_by(&self, records: &[Vec<u8>]) -> Result<(), RecordProblem> {
        let text = only(records)?;
        let record = Record::read(&text)?;
        let public = record.public_key()?;
        let (found, wanted) = (record.value("k").unwrap_or("rsa"), self.algorithm());
        if found != wanted {
            return Err(RecordProblem::OtherAlgorithm { found: found.into(), wanted });
        }
        let public = STANDARD.decode(public).map_err(|_| RecordProblem::Malformed("p= is not base64"))?;
        if !self.public().contains(&public) {
            return Err(RecordProblem::OtherKey);
        }
        record.permits_reports()
    }

    /// What `k=` says of it.
    fn algorithm(&self) -> &'static str {
        match &self.0 {
            Private::Rsa(_) => "rsa",
            Private::Ed25519(_) => "ed25519",
        }
    }

    /// The forms in which `p=` may have the public key, the usual one first: RFC 6376 names one for RSA and its examples have another.
    fn public(&self) -> Vec<Vec<u8>> {
        match &self.0 {
            Private::Rsa(key) => {
                let key = key.to_public_key();
                let usual = key.to_public_key_der().ok().map(|der| der.as_bytes().to_vec());
                let other = key.to_pkcs1_der().ok().map(|der| der.as_bytes().to_vec());
                usual.into_iter().chain(other).collect()
            }
            Private::Ed25519(key) => vec![key.verifying_key().to_bytes().to_vec()],
        }
    }
}

/// For people: the algorithm and its size.
impl fmt::Display for DkimKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Private::Rsa(key) => write!(out, "RSA, {} bits", key.n().bits()),
            Private::Ed25519(_) => out.write_str("Ed25519"),
        }
    }
}

/// The tags of a record (RFC 6376 section 3.2).
fn tags<'t>(text: &'t str) -> Result<Vec<(&'t str, &'t str)>, RecordProblem> {
    let items = text.split(';').map(str::trim).filter(|item| !item.is_empty());
    let tag = |item: &'t str| item.split_once('=').map(|(name, value)| (name.trim(), value.trim()));
    let tags: Option<Vec<_>> = items.map(tag).collect();
    tags.ok_or(RecordProblem::Malformed("it is not a list of NAME=VALUE with \";\" between"))
}

#[cfg(test)]
mod tests {
    use rsa::{RsaPrivateKey, pkcs8::EncodePrivateKey};

    use super::{DkimKey, RecordProblem, permits_reports};

    fn ed25519(seed: u8) -> DkimKey {
        let key = ed25519_dalek::SigningKey::from_bytes(&[seed; 32]);
        DkimKey::from_pem(&key.to_pkcs8_pem(pkcs8::LineEnding::LF).unwrap()).unwrap()
    }

    fn rsa() -> DkimKey {
        let key = RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 1024).unwrap();
        DkimKey::from_pem(&key.to_pkcs8_pem(pkcs8::LineEnding::LF).unwrap()).unwrap()
    }

    fn verify(key: &DkimKey, record: &str) -> Result<(), RecordProblem> {
        key.verify_by(&[record.as_bytes().to_vec()])
    }

    #[test]
    fn a_record_is_judged_without_its_private_key() {
        let judge = |record: &str| permits_reports(&[record.as_bytes().to_vec()]);
        assert_eq!(judge("v=DKIM1; k=rsa; p=abc="), Ok(()));
        assert_eq!(judge("k=rsa; s=email:tlsrpt; p=abc="), Ok(()));
        assert_eq!(judge("v=DKIM1; s=email; p=abc="), Err(RecordProblem::OtherService("email".into())));
        assert_eq!(judge("v=DKIM1; p="), Err(RecordProblem::Revoked));
        assert_eq!(permits_reports(&[]), Err(RecordProblem::Missing));
    }

    #[test]
    fn the_record_that_is_to_be_published_is_right() {
        for key in [ed25519(1), rsa()] {
            assert_eq!(verify(&key, &key.record()), Ok(()), "{key}");
            assert_eq!(verify(&key, &key.record_for_all_mails()), Ok(()), "{key}");
            assert!(!key.record_for_all_mails().contains("s="), "it signs mails of users");
        }
    }

    #[test]
    fn records_that_permit_reports() {
        let key = ed25519(1);
        let public = key.record().split_once("p=").unwrap().1.to_owned();
        for record in [
            format!("k=ed25519;p={public}"),
            format!("v=DKIM1; h=sha1 : sha256; k=ed25519; s=email : tlsrpt; t=s; p={public};"),
            format!("v=DKIM1; k=ed25519; s=*; n=a note; p={} {}", &public[..7], &public[7..]),
        ] {
            assert_eq!(verify(&key, &record), Ok(()), "{record}");
        }
    }

    #[test]
    fn rsa_keys_stand_in_two_forms_and_without_an_algorithm() {
        use base64::{Engine, engine::general_purpose::STANDARD};
        let key = rsa();
        for form in key.public() {
            assert_eq!(verify(&key, &format!("v=DKIM1; p={}", STANDARD.encode(form))), Ok(()));
        }
        assert_eq!(key.public().len(), 2);
    }

    #[test]
    fn records_by_which_nobody_can_verify() {
        let key = ed25519(1);
        let public = key.record().split_once("p=").unwrap().1.to_owned();
        let malformed = |text| Err(RecordProblem::Malformed(text));
        assert_eq!(key.verify_by(&[]), Err(RecordProblem::Missing));
        assert_eq!(key.verify_by(&[vec![], vec![]]), Err(RecordProblem::Several(2)));
        assert_eq!(verify(&key, ""), malformed("it has no p="));
        assert_eq!(verify(&key, "a note"), malformed("it is not a list of NAME=VALUE with \";\" between"));
        assert_eq!(verify(&key, "v=spf1 -all"), malformed("v=DKIM1 must be the first tag"));
        assert_eq!(
            verify(&key, &format!("v=DKIM2; k=ed25519; p={public}")),
            malformed("v=DKIM1 must be the first tag")
        );
        assert_eq!(
            verify(&key, &format!("k=ed25519; v=DKIM1; p={public}")),
            malformed("v=DKIM1 must be the first tag")
        );
        assert_eq!(verify(&key, "k=ed25519; p=*"), malformed("p= is not base64"));
        assert_eq!(verify(&key, "v=DKIM1; k=ed25519; p="), Err(RecordProblem::Revoked));
        let other = RecordProblem::OtherAlgorithm { found: "rsa".into(), wanted: "ed25519" };
        assert_eq!(verify(&key, &format!("v=DKIM1; p={public}")), Err(other));
        assert_eq!(verify(&key, &ed25519(2).record()), Err(RecordProblem::OtherKey));
        let hash = format!("k=ed25519; h=sha1; p={public}");
        assert_eq!(verify(&key, &hash), Err(RecordProblem::OtherHash("sha1".into())));
        let service = format!("k=ed25519; s=email; p={public}");
        assert_eq!(verify(&key, &service), Err(RecordProblem::OtherService("email".into())));
    }

    #[test]
    fn what_is_no_key() {
        for text in ["", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
            assert!(DkimKey::from_pem(text).is_err(), "{text}");
        }
    }
}
