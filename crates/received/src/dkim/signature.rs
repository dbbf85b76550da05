//! One signature of a mail.

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tlsrpt_format::without_error_numbers;

use super::{canonical::Form, key::Key, tags::Tags};
use crate::header::{Field, Header};

/// A text or bytes that are looked up.
type LookUp<'l> = &'l dyn Fn(&str) -> std::io::Result<Vec<Vec<u8>>>;

/// Why a signature does not count.
#[derive(Debug)]
pub(super) enum Wrong {
    Invalid(String),
    /// DNS gives no answer.
    NotNow(String),
}

impl From<&str> for Wrong {
    fn from(why: &str) -> Self {
        Self::Invalid(why.into())
    }
}

/// A field with a signature.
#[derive(Debug)]
pub(super) struct Signature<'m> {
    field: Field<'m>,
    tags: Tags,
    header_form: Form,
    body_form: Form,
}

/// How far the clock of the signer may be ahead, in seconds.
const AHEAD: i64 = 300;

impl<'m> Signature<'m> {
    /// The signature in the field with this index.
    pub(super) fn of(header: &Header<'m>, index: usize) -> Result<Self, Wrong> {
        let field = *header.fields.get(index).ok_or("the mail has no such field")?;
        let text = String::from_utf8_lossy(field.value);
        let tags = Tags::of(&text).ok_or("the signature is not a list of tags")?;
        let forms = tags.get("c").unwrap_or("simple/simple");
        let (of_header, of_body) = forms.split_once('/').unwrap_or((forms, "simple"));
        let (Some(header_form), Some(body_form)) = (Form::of(of_header), Form::of(of_body)) else {
            return Err("the signature has an unknown canonical form".into());
        };
        Ok(Self { field, tags, header_form, body_form })
    }

    /// Whether it is one of this domain. The error says why it does not count.
    pub(super) fn verify(
        &self,
        header: &Header<'_>,
        domain: &str,
        now: Timestamp,
        texts: LookUp<'_>,
    ) -> Result<bool, Wrong> {
        if !self.tags.get("d").is_some_and(|found| found.eq_ignore_ascii_case(domain)) {
            return Ok(false);
        }
        let algorithm = self.algorithm()?;
        self.check_terms(now)?;
        let body = Sha256::digest(self.body_form.body(header.body));
        if self.bytes("bh")? != body.as_slice() {
            return Err("the body of the mail is not the one that was signed".into());
        }
        let key = self.key(domain, algorithm, texts)?;
        match key.verifies(&self.hash(header)?, &self.bytes("b")?) {
            true => Ok(true),
            false => Err("the header of the mail is not the one that was signed, or the key is another one".into()),
        }
    }

    /// The `k=` of the key.
    fn algorithm(&self) -> Result<&'static str, Wrong> {
        match self.tags.get("a") {
            Some("rsa-sha256") => Ok("rsa"),
            Some("ed25519-sha256") => Ok("ed25519"),
            _ => Err("the signature has an algorithm that is unknown or too weak".into()),
        }
    }

    fn check_terms(&self, now: Timestamp) -> Result<(), Wrong> {
        let number = |name: &str| self.tags.get(name).and_then(|value| value.parse::<i64>().ok());
        if self.tags.get("v") != Some("1") {
            return Err("the signature is not one of version 1".into());
        }
        if self.tags.get("l").is_some() {
            return Err("the signature covers only a part of the body (l=), which RFC 8460 section 3 forbids".into());
        }
        if number("x").is_some_and(|end| end < now.as_second()) {
            return Err("the signature has expired".into());
        }
        if number("t").is_some_and(|made| made > now.as_second().saturating_add(AHEAD)) {
            return Err("the signature was made in the future".into());
        }
        if !self.signed().any(|name| name.eq_ignore_ascii_case("from")) {
            return Err("the signature does not cover the From field".into());
        }
        Ok(())
    }

    /// The names of the signed fields.
    fn signed(&self) -> impl Iterator<Item = &str> {
        self.tags.get("h").unwrap_or_default().split(':').map(str::trim)
    }

    fn bytes(&self, name: &str) -> Result<Vec<u8>, Wrong> {
        let text = self.tags.packed(name).ok_or("the signature lacks a tag")?;
        STANDARD.decode(text).map_err(|_| "the signature is not in base64".into())
    }

    fn key(&self, domain: &str, algorithm: &str, texts: LookUp<'_>) -> Result<Key, Wrong> {
        let selector = self.tags.get("s").ok_or("the signature names no key")?;
        let name = format!("{selector}._domainkey.{domain}");
        let records =
            texts(&name).map_err(|error| Wrong::NotNow(without_error_numbers(&format!("{name}: {error}"))))?;
        match records.as_slice() {
            [] => Err(Wrong::Invalid(format!("there is no key at {name}"))),
            [record] => Key::of(&String::from_utf8_lossy(record), algorithm)
                .map_err(|why| Wrong::Invalid(format!("{name}: {why}"))),
            _ => Err(Wrong::Invalid(format!("there are several keys at {name}"))),
        }
    }

    /// The hash of the signed fields and of this one without the signature itself.
    fn hash(&self, header: &Header<'_>) -> Result<Vec<u8>, Wrong> {
        let mut left: Vec<&Field<'_>> = header.fields.iter().collect();
        let mut hash = Sha256::new();
        for name in self.signed() {
            // The last field of a name comes first (RFC 6376 section 5.4.2).
            if let Some(place) = left.iter().rposition(|field| field.is(name)) {
                hash.update(self.header_form.field(left.remove(place)));
            }
        }
        let (raw, start) = without_signature(self.field.raw).ok_or("the signature has no b=")?;
        let own = Field { name: self.field.name, value: raw.get(start..).unwrap_or_default(), raw: &raw };
        let own = self.header_form.field(&own);
        hash.update(own.strip_suffix(b"\r\n").unwrap_or(&own));
        Ok(hash.finalize().to_vec())
    }
}

/// The field with an empty `b=`, and where its value starts.
fn without_signature(raw: &[u8]) -> Option<(Vec<u8>, usize)> {
    let start = raw.iter().position(|byte| *byte == b':')? + 1;
    let mut place = start;
    for item in raw.get(start..)?.split_inclusive(|byte| *byte == b';') {
        let equals = item.iter().position(|byte| *byte == b'=');
        if let Some(equals) = equals.filter(|equals| item.get(..*equals).is_some_and(|name| name.trim_ascii() == b"b"))
        {
            let end = if item.ends_with(b";") { item.len() - 1 } else { item.len() };
            let mut emptied = raw.get(..place + equals + 1)?.to_vec();
            emptied.extend_from_slice(raw.get(place + end..)?);
            return Some((emptied, start));
        }
        place += item.len();
    }
    None
}
