//! The usual mistakes in a TLSRPT record, and the record without them.

use crate::record;

/// The most mistakes that are named. Strangers write records.
const MOST_MISTAKES: usize = 10;
/// The longest part of a record that a mistake quotes, in characters.
const LONGEST_QUOTE: usize = 100;
const VERSION: &str = "v=TLSRPTv1";

/// What is wrong in a record, and what was probably meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repair {
    /// The mistakes, in words.
    pub mistakes: Vec<String>,
    /// A valid record without them, if it has a destination.
    pub corrected: Option<String>,
}

/// Finds the usual mistakes of a record that is not valid, or whose destinations cannot be used.
#[must_use]
pub fn repair(text: &str) -> Repair {
    let mut repairing = Repairing::default();
    let plain = repairing.without_quotes(text);
    let fields = repairing.without_version(&plain);
    repairing.fields(&fields);
    let Repairing { mut mistakes, destinations, extensions } = repairing;
    mistakes.truncate(MOST_MISTAKES);
    let all: String = extensions.iter().map(|extension| format!("; {extension}")).collect();
    let corrected = format!("{VERSION}; rua={}{all}", destinations.join(","));
    Repair { mistakes, corrected: record::parse(&corrected).is_ok().then_some(corrected) }
}

#[derive(Default)]
struct Repairing {
    mistakes: Vec<String>,
    destinations: Vec<String>,
    extensions: Vec<String>,
}

impl Repairing {
    fn wrong(&mut self, what: impl Into<String>) {
        let what = what.into();
        if self.mistakes.len() < MOST_MISTAKES && !self.mistakes.contains(&what) {
            self.mistakes.push(what);
        }
    }

    /// The text without what belongs to a zone file.
    fn without_quotes(&mut self, text: &str) -> String {
        let mut plain = text.trim().to_owned();
        if plain != text {
            self.wrong("there is white space before or behind the record");
        }
        if plain.contains('"') {
            self.wrong("the quotation marks belong to the zone file, not to the record");
            plain = plain.replace("\" \"", "").replace('"', "");
        }
        if plain.contains("\\;") {
            self.wrong("the backslash before \";\" belongs to the zone file, not to the record");
            plain = plain.replace("\\;", ";");
        }
        plain
    }

    /// The fields without the version.
    fn without_version(&mut self, plain: &str) -> String {
        let Some(start) = plain.to_ascii_lowercase().find(&VERSION.to_ascii_lowercase()) else {
            let first = plain.split([';', ',', ' ']).next().unwrap_or_default();
            let has_version = first.to_ascii_lowercase().starts_with("v=");
            self.wrong(if first.eq_ignore_ascii_case("v=DMARC1") {
                "this is a DMARC record".into()
            } else if has_version {
                format!("{} must be written {VERSION}", quoted(first))
            } else {
                format!("{VERSION} is missing at the beginning")
            });
            return if has_version { plain[first.len()..].into() } else { plain.into() };
        };
        let (before, behind) = plain.split_at(start);
        let (version, behind) = behind.split_at(VERSION.len());
        if version != VERSION {
            self.wrong(format!("{version} must be written {VERSION}, in exactly these letters"));
        }
        if !before.trim().is_empty() {
            self.wrong(format!("{VERSION} must be the first field"));
        }
        if !behind.trim_start().is_empty() && !behind.trim_start().starts_with(';') {
            self.wrong(format!("\";\" must follow {VERSION}"));
        }
        format!("{before};{behind}")
    }

    fn fields(&mut self, fields: &str) {
        let mut in_destinations = false;
        for field in fields.split(';') {
            let field = field.trim_matches([' ', '\t', ',']);
            if field.is_empty() {
                continue;
            }
            if let Some(value) = self.value_of_rua(field) {
                in_destinations = true;
                self.destinations(value);
            } else if in_destinations && is_like_destination(field) {
                self.wrong("destinations are separated by \",\", not by \";\"");
                self.destinations(field);
            } else if is_like_destination(field) && !field.contains('=') {
                self.wrong("rua= is missing before the destinations");
                self.destinations(field);
            } else {
                self.extensions.push(field.into());
            }
        }
        if self.destinations.is_empty() {
            self.wrong("the record names no destination: rua=mailto:ADDRESS");
        }
    }

    /// The value of the field with the destinations, if it is that.
    fn value_of_rua<'t>(&mut self, field: &'t str) -> Option<&'t str> {
        let name = field.get(..3).filter(|name| name.eq_ignore_ascii_case("rua"))?;
        let behind = &field[name.len()..];
        let sign = behind.trim_start();
        let value = sign.strip_prefix(['=', ':'])?;
        if name != "rua" {
            self.wrong(format!("{name} must be written rua, in small letters"));
        }
        if sign.starts_with(':') {
            self.wrong("\"=\" must follow rua, not \":\"");
        }
        if sign.len() != behind.len() || value.starts_with([' ', '\t']) {
            self.wrong("there is white space beside the \"=\" of rua");
        }
        Some(value)
    }

    fn destinations(&mut self, value: &str) {
        for part in value.split(',') {
            let mut known = false;
            for word in part.split_whitespace() {
                if !is_like_destination(word) {
                    self.wrong(format!("{} is not a destination", quoted(word)));
                    continue;
                }
                if known {
                    self.wrong("destinations are separated by \",\", not by a space");
                }
                known = true;
                let destination = self.destination(word);
                self.destinations.push(destination);
            }
        }
    }

    fn destination(&mut self, word: &str) -> String {
        let mut uri = word.trim_matches(['<', '>']).to_owned();
        if uri != word {
            self.wrong("an address in a record has no angle brackets");
        }
        let scheme = uri.to_ascii_lowercase();
        if scheme.starts_with("mailto://") {
            self.wrong("mailto: is followed by the address, without //");
            uri = format!("mailto:{}", &uri["mailto://".len()..]);
        } else if scheme.starts_with("http://") {
            self.wrong("reports are posted to https: URLs, not to http:");
            uri = format!("https://{}", &uri["http://".len()..]);
        } else if !scheme.starts_with("mailto:") && !scheme.starts_with("https:") {
            let (scheme, what) = if uri.contains('@') { ("mailto:", "address") } else { ("https://", "URL") };
            self.wrong(format!("the {what} {} lacks {scheme}", quoted(&uri)));
            uri = format!("{scheme}{uri}");
        }
        if uri.starts_with("mailto:") {
            if let Some((address, size)) = uri.split_once('!') {
                self.wrong(format!("the limit !{} is one of DMARC; a TLSRPT record has none", quoted(size)));
                uri = address.to_owned();
            }
        }
        uri
    }
}

fn is_like_destination(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    word.contains('@') || ["mailto:", "http:", "https:"].iter().any(|scheme| lower.starts_with(scheme)) || {
        let host = word.split('/').next().unwrap_or_default();
        word.contains('/') && host.contains('.')
    }
}

fn quoted(text: &str) -> String {
    match text.char_indices().nth(LONGEST_QUOTE) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_MISTAKES, Repair, repair};
    use crate::record;

    const GOOD: &str = "v=TLSRPTv1; rua=mailto:a@b.example";

    fn assert_repaired(text: &str, mistake: &str, corrected: &str) {
        let Repair { mistakes, corrected: found } = repair(text);
        assert_eq!((mistakes.join("; ").as_str(), found.as_deref()), (mistake, Some(corrected)), "{text}");
    }

    #[test]
    fn the_usual_mistakes_are_named_and_corrected() {
        let cases = [
            ("v=TLSRPTv1; rua=a@b.example", "the address a@b.example lacks mailto:"),
            ("v=TLSRPTv1; rua=mailto://a@b.example", "mailto: is followed by the address, without //"),
            (
                "v=TLSRPTv1; rua=<a@b.example>",
                "an address in a record has no angle brackets; the address a@b.example lacks mailto:",
            ),
            ("v=TLSRPTv1; rua=mailto:a@b.example!10m", "the limit !10m is one of DMARC; a TLSRPT record has none"),
            (
                "\"v=TLSRPTv1; rua=mailto:a@b.example\"",
                "the quotation marks belong to the zone file, not to the record",
            ),
            (
                "\"v=TLSRPTv1; rua=mai\" \"lto:a@b.example\"",
                "the quotation marks belong to the zone file, not to the record",
            ),
            (
                "v=TLSRPTv1\\; rua=mailto:a@b.example",
                "the backslash before \";\" belongs to the zone file, not to the record",
            ),
            (" v=TLSRPTv1; rua=mailto:a@b.example", "there is white space before or behind the record"),
            ("v=tlsrptv1; rua=mailto:a@b.example", "v=tlsrptv1 must be written v=TLSRPTv1, in exactly these letters"),
            ("v=TLSRPT1; rua=mailto:a@b.example", "v=TLSRPT1 must be written v=TLSRPTv1"),
            ("v=DMARC1; rua=mailto:a@b.example", "this is a DMARC record"),
            ("rua=mailto:a@b.example; v=TLSRPTv1", "v=TLSRPTv1 must be the first field"),
            ("rua=mailto:a@b.example", "v=TLSRPTv1 is missing at the beginning"),
            ("v=TLSRPTv1, rua=mailto:a@b.example", "\";\" must follow v=TLSRPTv1"),
            ("v=TLSRPTv1 rua=mailto:a@b.example", "\";\" must follow v=TLSRPTv1"),
            ("v=TLSRPTv1; RUA=mailto:a@b.example", "RUA must be written rua, in small letters"),
            ("v=TLSRPTv1; rua = mailto:a@b.example", "there is white space beside the \"=\" of rua"),
            ("v=TLSRPTv1; rua:mailto:a@b.example", "\"=\" must follow rua, not \":\""),
            ("v=TLSRPTv1; mailto:a@b.example", "rua= is missing before the destinations"),
            ("v=TLSRPTv1; rua=mailto:a@b.example please", "please is not a destination"),
        ];
        for (text, mistake) in cases {
            assert!(record::parse(text).is_err(), "{text}");
            assert_repaired(text, mistake, GOOD);
        }
        let two = "v=TLSRPTv1; rua=mailto:a@b.example,https://c.example/d";
        let cases = [
            (
                "v=TLSRPTv1; rua=mailto:a@b.example;https://c.example/d",
                "destinations are separated by \",\", not by \";\"",
            ),
            (
                "v=TLSRPTv1; rua=mailto:a@b.example https://c.example/d",
                "destinations are separated by \",\", not by a space",
            ),
            (
                "v=TLSRPTv1; rua=mailto:a@b.example,http://c.example/d",
                "reports are posted to https: URLs, not to http:",
            ),
            ("v=TLSRPTv1; rua=mailto:a@b.example,c.example/d", "the URL c.example/d lacks https://"),
        ];
        for (text, mistake) in cases {
            assert_repaired(text, mistake, two);
        }
    }

    #[test]
    fn a_record_without_a_destination_is_not_corrected() {
        for text in [
            "",
            "v=TLSRPTv1",
            "v=TLSRPTv1; rua=",
            "v=TLSRPTv1; ruf=x",
            "käse",
            "v=TLSRPTv1; rua=mailto:\u{e9}@b.example",
        ] {
            let Repair { corrected, .. } = repair(text);
            assert_eq!(corrected, None, "{text}");
        }
    }

    #[test]
    fn hostile_text_has_few_and_short_mistakes() {
        let words: String = (0..1000).map(|number| format!("{number}{} ", "é".repeat(200))).collect();
        let Repair { mistakes, .. } = repair(&format!("v=TLSRPTv1; rua={words}"));
        assert_eq!(mistakes.len(), MOST_MISTAKES);
        assert!(mistakes.iter().all(|mistake| mistake.len() < 300), "{mistakes:?}");
        for text in ["rua", "ru\u{e9}=", "v=\u{130}TLSRPTv1", ";;;=,,\\;\"", "mailto:", "http:", "v=tlsrptv1\u{e9}"] {
            let _ = repair(text);
        }
    }
}
