//! Header fields of mails and of their parts.

use std::borrow::Cow;

use crate::limits;

/// One field. The value is as it was written, folded, without the line end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Field<'m> {
    pub(crate) name: &'m [u8],
    pub(crate) value: &'m [u8],
    /// The whole field with its line end.
    pub(crate) raw: &'m [u8],
}

/// The fields at the beginning of a mail or part, and what is behind them.
#[derive(Debug)]
pub(crate) struct Header<'m> {
    pub(crate) fields: Vec<Field<'m>>,
    pub(crate) body: &'m [u8],
}

/// A media type or disposition with its parameters: names in lower case, values without quotes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Parameters {
    pub(crate) value: String,
    parameters: Vec<(String, String)>,
}

impl<'m> Header<'m> {
    pub(crate) fn of(mail: &'m [u8]) -> Self {
        let (mut fields, mut rest) = (Vec::new(), mail);
        while fields.len() < limits::FIELDS {
            if let Some(body) = without_empty_line(rest) {
                return Self { fields, body };
            }
            let (raw, behind) = rest.split_at(length(rest));
            let Some(field) = Field::of(raw) else { break };
            fields.push(field);
            rest = behind;
        }
        Self { fields, body: rest }
    }

    /// The first field with this name.
    pub(crate) fn field(&self, name: &str) -> Option<&Field<'m>> {
        self.fields.iter().find(|field| field.is(name))
    }

    /// The value of the first field with this name, in one line.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.field(name).map(Field::text)
    }

    /// A field with parameters.
    pub(crate) fn parameters(&self, name: &str) -> Parameters {
        self.text(name).map(|text| Parameters::of(&text)).unwrap_or_default()
    }
}

impl<'m> Field<'m> {
    fn of(raw: &'m [u8]) -> Option<Self> {
        let colon = raw.iter().position(|byte| *byte == b':')?;
        let (name, value) = raw.split_at(colon);
        let name = name.trim_ascii_end();
        let is_name = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
        is_name.then_some(Self { name, value: value.get(1..).unwrap_or_default(), raw })
    }

    pub(crate) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// The value in one line, shortened to the limit of texts.
    pub(crate) fn text(&self) -> String {
        let value = self.value.get(..limits::TEXT).unwrap_or(self.value);
        let text: Cow<'_, str> = String::from_utf8_lossy(value);
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// The rest behind an empty line, if the text begins with one.
fn without_empty_line(text: &[u8]) -> Option<&[u8]> {
    match text {
        [] => Some(text),
        [b'\n', rest @ ..] | [b'\r', b'\n', rest @ ..] => Some(rest),
        _ => None,
    }
}

/// The length of the first field with its folded lines and its line end.
fn length(text: &[u8]) -> usize {
    let mut end = 0;
    loop {
        let line = text.get(end..).unwrap_or_default();
        end += line.iter().position(|byte| *byte == b'\n').map_or(line.len(), |place| place + 1);
        if !matches!(text.get(end), Some(b' ' | b'\t')) {
            return end;
        }
    }
}

impl Parameters {
    pub(crate) fn of(text: &str) -> Self {
        let mut items = split_outside_quotes(text).into_iter();
        let value = items.next().unwrap_or_default().trim().to_ascii_lowercase();
        let parameters = items
            .filter_map(|item| {
                let (name, value) = item.split_once('=')?;
                Some((name.trim().to_ascii_lowercase(), unquoted(value.trim())))
            })
            .collect();
        Self { value, parameters }
    }

    /// The value of a parameter, also where it is written in pieces (RFC 2231).
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let whole = self.parameters.iter().find(|(known, _)| known == name);
        if let Some((_, value)) = whole {
            return Some(value.clone());
        }
        let piece = |number: usize| {
            let wanted = format!("{name}*{number}");
            self.parameters.iter().find(|(known, _)| known.trim_end_matches('*') == wanted)
        };
        let pieces: Vec<_> = (0..).map_while(piece).map(|(_, value)| value.as_str()).collect();
        (!pieces.is_empty()).then(|| pieces.concat())
    }
}

fn split_outside_quotes(text: &str) -> Vec<&str> {
    let (mut items, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (place, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ';' if !quoted => {
                items.push(text.get(start..place).unwrap_or_default());
                start = place + 1;
            }
            _ => {}
        }
    }
    items.push(text.get(start..).unwrap_or_default());
    items
}

fn unquoted(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"') else { return value.into() };
    let (mut text, mut escaped) = (String::new(), false);
    for character in inner.chars() {
        match character {
            _ if escaped => {
                text.push(character);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => break,
            _ => text.push(character),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Header, Parameters};

    #[test]
    fn fields_are_folded_and_end_at_an_empty_line() {
        let header = Header::of(b"From: a\r\nSubject: one\r\n\ttwo\r\n  three\r\n\r\nbody: no\r\n");
        assert_eq!(header.text("SUBJECT").as_deref(), Some("one two three"));
        assert_eq!((header.fields.len(), header.body), (2, &b"body: no\r\n"[..]));
        let header = Header::of(b"a: 1\nthis is no field\nb: 2\n");
        assert_eq!((header.fields.len(), header.body), (1, &b"this is no field\nb: 2\n"[..]));
        assert_eq!(Header::of(b"").fields, []);
    }

    #[test]
    fn parameters_are_quoted_or_in_pieces() {
        let found = Parameters::of("Multipart/Report; report-type = tlsrpt; boundary=\"a;\\\"b\"");
        assert_eq!(found.value, "multipart/report");
        assert_eq!(found.get("boundary").as_deref(), Some("a;\"b"));
        assert_eq!(found.get("report-type").as_deref(), Some("tlsrpt"));
        let found = Parameters::of("attachment; filename*0=a.b!c!1; filename*1*=!2.json.gz");
        assert_eq!(found.get("filename").as_deref(), Some("a.b!c!1!2.json.gz"));
        assert_eq!(found.get("name"), None);
    }
}
