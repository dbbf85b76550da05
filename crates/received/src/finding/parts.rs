//! The parts of a mail (RFC 2045 to 2049).

use std::{borrow::Cow, rc::Rc};

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use super::{
    At, Search,
    form::{Form, text_of},
};
use crate::{MailFacts, header::Header, limits};

/// The media types of reports (RFC 8460 section 6.4 and 6.5).
const TYPES: [&str; 2] = ["application/tlsrpt+gzip", "application/tlsrpt+json"];

/// Base64 as mail programs write it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

impl Search<'_> {
    pub(super) fn mail(&mut self, mail: &[u8], at: &At) {
        let header = Header::of(text_of(mail));
        let at = At { mail: Some(Rc::new(MailFacts::of(&header))), ..at.inside("") };
        self.part(&header, &at);
    }

    fn part(&mut self, header: &Header<'_>, at: &At) {
        if !self.budget.take_part() {
            return self.problem(at, format!("it has more than {} parts", limits::PARTS));
        }
        if at.depth > limits::DEPTH {
            return self.problem(at, format!("its parts are nested more than {} deep", limits::DEPTH));
        }
        let content = header.parameters("Content-Type");
        match content.value.split_once('/') {
            Some(("multipart", _)) => self.multipart(header.body, content.get("boundary"), at),
            Some(("message", "rfc822" | "global")) => self.mail(&decoded(header), at),
            _ => self.leaf(header, &content.value, at),
        }
    }

    fn multipart(&mut self, body: &[u8], boundary: Option<String>, at: &At) {
        let Some(boundary) = boundary.filter(|boundary| !boundary.is_empty()) else { return };
        for part in parts(body, &boundary) {
            self.part(&Header::of(part), &at.inside(""));
        }
    }

    fn leaf(&mut self, header: &Header<'_>, media_type: &str, at: &At) {
        let name = file_name(header);
        let has_type = TYPES.contains(&media_type);
        let bytes = decoded(header);
        let is_declared = has_type || (at.is_multipart_report() && is_name_of_report(name.as_deref()));
        if !is_declared && !matches!(Form::of(&bytes), Form::Gzip | Form::Zip | Form::Json) {
            return;
        }
        let other_type = (!has_type).then(|| media_type.to_owned());
        let at = At { is_declared, other_type, ..at.inside(name.as_deref().unwrap_or_default()) };
        self.search(&bytes, &at);
    }
}

impl At {
    fn is_multipart_report(&self) -> bool {
        self.mail.as_ref().is_some_and(|facts| facts.is_report)
    }
}

fn file_name(header: &Header<'_>) -> Option<String> {
    header.parameters("Content-Disposition").get("filename").or_else(|| header.parameters("Content-Type").get("name"))
}

/// The names of RFC 8460 section 5.1.
fn is_name_of_report(name: Option<&str>) -> bool {
    name.is_some_and(|name| {
        [".json", ".json.gz", ".gz", ".zip"].iter().any(|end| name.to_ascii_lowercase().ends_with(end))
    })
}

/// The parts between the lines with the boundary.
fn parts<'m>(body: &'m [u8], boundary: &str) -> impl Iterator<Item = &'m [u8]> {
    let delimiter = [b"--", boundary.as_bytes()].concat();
    let mut rest = next_delimiter(body, &delimiter).map(|(_, behind)| behind);
    std::iter::from_fn(move || {
        let text = rest.take()?;
        let (part, behind) = match next_delimiter(text, &delimiter) {
            Some((end, behind)) => (text.get(..end)?, Some(behind)),
            None => (text, None),
        };
        rest = behind.filter(|behind| !behind.is_empty());
        Some(part)
    })
}

/// Where the next line with the boundary begins, and what is behind it; nothing is behind the last.
fn next_delimiter<'m>(text: &'m [u8], delimiter: &[u8]) -> Option<(usize, &'m [u8])> {
    let mut place = 0;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let is_last = match line.strip_prefix(delimiter).map(<[u8]>::trim_ascii_end) {
            Some(b"") => Some(false),
            Some(b"--") => Some(true),
            _ => None,
        };
        if let Some(is_last) = is_last {
            let behind = if is_last { &[][..] } else { text.get(place + line.len()..)? };
            return Some((place, behind));
        }
        place += line.len();
    }
    None
}

/// The content of a part without its transfer encoding.
fn decoded<'m>(header: &Header<'m>) -> Cow<'m, [u8]> {
    match header.text("Content-Transfer-Encoding").unwrap_or_default().to_ascii_lowercase().as_str() {
        "base64" => BASE64.decode(base64_text(header.body)).unwrap_or_default().into(),
        "quoted-printable" => {
            quoted_printable::decode(header.body, quoted_printable::ParseMode::Robust).unwrap_or_default().into()
        }
        _ => header.body.into(),
    }
}

/// The letters of base64, without what cannot be one (RFC 2045 section 6.8), and without what a program on the way added behind the
/// end, such as the footer of a mailing list.
fn base64_text(body: &[u8]) -> Vec<u8> {
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let mut text: Vec<u8> = body.iter().copied().take_while(|byte| *byte != b'=').filter(is_letter).collect();
    // One letter alone has less than a byte.
    if text.len() % 4 == 1 {
        text.pop();
    }
    text
}
