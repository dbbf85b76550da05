//! The signatures of Exim or of a milter, for report mails that tlsrpt does not sign.

use tlsrpt_deliver::{DkimKey, KeyError};

use super::{
    key::{self, Signer},
    record::{self, LookUpTexts, Signs},
};
use crate::{
    access::Visitor,
    finding::{Finding, Status},
    remedy::Remedy,
    signature::{Signature, Signing},
};

/// The check of who signs.
pub(super) const SIGNER: &str = "dkim signer";
pub(super) const UNSIGNED: &str = "tlsrpt does not sign report mails";

/// A server that may sign report mails.
#[derive(Debug)]
pub(super) struct Server<'a> {
    /// The name of the program.
    pub(super) name: &'static str,
    /// Where its signatures are configured.
    pub(super) place: String,
    /// As whom it reads the key, if that is known.
    pub(super) user: Option<Visitor>,
    /// The domain of From, which has to sign.
    pub(super) domain: &'a str,
    /// What to do where it does not sign, and where it signs wrongly.
    pub(super) unsigned: Remedy,
    pub(super) instead: Remedy,
}

impl Server<'_> {
    /// The findings, by what its configuration says.
    pub(super) fn check(&self, signing: Signing, texts: LookUpTexts<'_>) -> Vec<Finding> {
        let Self { name, place, domain, .. } = self;
        match signing {
            Signing::Nothing(why) => {
                let message = format!("{UNSIGNED}, and {name} signs no mails of {domain} ({place}): {why}");
                vec![Finding::warn(SIGNER, message, self.unsigned.clone())]
            }
            Signing::Unknown(why) => {
                let message = format!(
                    "{UNSIGNED}; {name} has to sign them with d={domain}, but how it signs cannot be looked up ({place}): {why}"
                );
                vec![Finding::ok(SIGNER, message)]
            }
            Signing::By(signatures) => self.of_signatures(&signatures, texts),
        }
    }

    /// The findings for the signatures of a mail, of which one has to be valid.
    fn of_signatures(&self, signatures: &[Signature], texts: LookUpTexts<'_>) -> Vec<Finding> {
        let mut first = None;
        for signature in signatures {
            let findings = self.of_signature(signature, texts);
            if findings.iter().all(|finding| finding.status == Status::Ok) {
                return findings;
            }
            first.get_or_insert(findings);
        }
        first.unwrap_or_default()
    }

    fn of_signature(&self, signature: &Signature, texts: LookUpTexts<'_>) -> Vec<Finding> {
        let Signature { domain, selector, key: file } = signature;
        let described = format!("{} signs report mails with d={domain}, s={selector} ({})", self.name, self.place);
        if !domain.eq_ignore_ascii_case(self.domain) {
            let message = format!("{described}, and their From domain is {}: receivers ignore them", self.domain);
            return vec![Finding::warn(SIGNER, message, self.instead.clone())];
        }
        let key = DkimKey::from_file(file);
        let of_key = self.user.clone().map(|user| {
            let signer = Signer::Server { name: self.name, user };
            match &key {
                Ok(key) => key::access(file, &signer, key::well(file, key)),
                // Servers know other forms of keys.
                Err(KeyError::Unknown) => key::access(file, &signer, key::unknown(file)),
                Err(error) => key::none(file, &signer, error),
            }
        });
        // Another user than root cannot read it.
        let of_record = record::check(signature, key.as_ref().ok(), Signs::AllMails, texts);
        [Finding::ok(SIGNER, described)].into_iter().chain(of_key).chain([of_record]).collect()
    }
}
