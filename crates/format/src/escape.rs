//! Escapes untrusted text for display.
//!
//! Domains, records, datagrams, certificates, server replies and mails come from other hosts and are not trusted. A
//! character that moves the cursor, ends a line, changes the direction of writing or is invisible is replaced by its
//! escape: `\n`, `\u{202e}`. Escaping a text twice changes nothing, so a message may be escaped more than once.
//!
//! Escaped are:
//!
//! - the Unicode categories Cc (control), Cf (format: directions, joiners, tags, interlinear annotation), Zl and Zp (line
//!   and paragraph separator), Co (private use: each font shows something else) and Cn (unassigned: a later version of
//!   Unicode may give it any effect);
//! - the characters that Unicode shows as nothing (`Default_Ignorable_Code_Point`): fillers and variation selectors;
//! - bytes that are not UTF-8, as `\xff`.
//!
//! Letters, marks and spaces of every script stay as they are.

use std::fmt::{self, Display};

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// Escapes untrusted text.
#[must_use]
pub fn printable(text: &str) -> impl Display {
    Text(text)
}

/// Escapes untrusted bytes: UTF-8 as [`printable`] does, and `\xff` for a byte that is not UTF-8.
#[must_use]
pub fn printable_bytes(bytes: &[u8]) -> impl Display {
    Bytes(bytes)
}

/// Escapes the first `longest` untrusted bytes, and gives the number of the others.
#[must_use]
pub fn printable_start(bytes: &[u8], longest: usize) -> impl Display {
    Start { shown: bytes.get(..longest).unwrap_or(bytes), left_out: bytes.len().saturating_sub(longest) }
}

/// Escapes the same characters in JSON text in the way of JSON, `\u202e`. The value does not change: such characters
/// are in strings only. Of ASCII only DEL is escaped; the JSON writer has escaped the other control characters.
#[must_use]
pub fn printable_json(json: &str) -> impl Display {
    Json(json)
}

struct Text<'t>(&'t str);

struct Json<'t>(&'t str);

struct Bytes<'t>(&'t [u8]);

struct Start<'t> {
    shown: &'t [u8],
    left_out: usize,
}

impl Display for Text<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_escaped(out, self.0, shows_itself, |out, character| write!(out, "{}", character.escape_default()))
    }
}

impl Display for Json<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stays = |character| matches!(character, '\n' | '\r' | '\t') || shows_itself(character);
        write_escaped(out, self.0, stays, |out, character| {
            character.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(out, "\\u{unit:04x}"))
        })
    }
}

/// Writes runs of characters that need no escape in one call each.
fn write_escaped(
    out: &mut fmt::Formatter<'_>,
    text: &str,
    stays: impl Fn(char) -> bool,
    escape: impl Fn(&mut fmt::Formatter<'_>, char) -> fmt::Result,
) -> fmt::Result {
    let mut rest = text;
    while let Some((place, character)) = rest.char_indices().find(|(_, character)| !stays(*character)) {
        let (run, behind) = rest.split_at(place);
        out.write_str(run)?;
        escape(out, character)?;
        rest = behind.get(character.len_utf8()..).unwrap_or_default();
    }
    out.write_str(rest)
}

impl Display for Bytes<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.utf8_chunks().try_for_each(|chunk| {
            Text(chunk.valid()).fmt(out)?;
            chunk.invalid().iter().try_for_each(|byte| write!(out, "\\x{byte:02x}"))
        })
    }
}

impl Display for Start<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        Bytes(self.shown).fmt(out)?;
        match self.left_out {
            0 => Ok(()),
            bytes => write!(out, " ... and {bytes} bytes more"),
        }
    }
}

fn shows_itself(character: char) -> bool {
    use GeneralCategory::{Control, Format, LineSeparator, ParagraphSeparator, PrivateUse, Unassigned};
    if character.is_ascii() {
        return !character.is_ascii_control();
    }
    let category = character.general_category();
    !matches!(category, Control | Format | LineSeparator | ParagraphSeparator | PrivateUse | Unassigned)
        && !is_ignorable(character)
}

/// The assigned characters with the property `Default_Ignorable_Code_Point` outside the category Cf.
fn is_ignorable(character: char) -> bool {
    let filler_or_joiner =
        matches!(character, '\u{34f}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{3164}' | '\u{ffa0}');
    let variation_selector = matches!(character,
        '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}');
    filler_or_joiner || variation_selector
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, process::Command};

    use super::{printable, printable_bytes, printable_start};

    /// Lists the categories from the installed Python, `AB 12 34` for each range.
    const CATEGORIES: &str = "
import sys, unicodedata
from itertools import groupby
for category, points in groupby(range(sys.maxunicode + 1), lambda point: unicodedata.category(chr(point))):
    points = list(points)
    print(category, points[0], points[-1])
";
    /// Lists `Default_Ignorable_Code_Point` from the installed Perl, one number a line.
    const IGNORABLE: &str = r#"no warnings; for (0 .. 0xd7ff, 0xe000 .. 0x10ffff) { print "$_\n" if chr =~ /\p{Default_Ignorable_Code_Point}/ }"#;

    fn output(program: &str, arguments: [&str; 2]) -> String {
        let output =
            Command::new(program).args(arguments).output().unwrap_or_else(|error| panic!("{program}: {error}"));
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn python_categories() -> BTreeMap<u32, String> {
        let listing = output("python3", ["-c", CATEGORIES]);
        let mut categories = BTreeMap::new();
        for line in listing.lines() {
            let [category, first, last] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
            for point in first.parse().unwrap()..=last.parse().unwrap() {
                categories.insert(point, category.to_string());
            }
        }
        categories
    }

    fn is_shown_as_it_is(character: char) -> bool {
        let shown = printable(&character.to_string()).to_string();
        if shown == character.to_string() {
            return true;
        }
        assert!(shown.starts_with('\\') && shown.is_ascii(), "{shown:?}");
        assert!(shown.chars().all(|character| character.is_ascii_graphic()), "{shown:?}");
        false
    }

    /// Python and the crate may have different versions of Unicode. A character that only Python has must be escaped;
    /// one that only the crate has is not compared.
    #[test]
    fn every_code_point_by_its_category() {
        let ignorable: Vec<u32> = output("perl", ["-e", IGNORABLE]).lines().map(|line| line.parse().unwrap()).collect();
        assert!(ignorable.len() > 4000, "{}", ignorable.len());
        let mut compared = 0;
        for (point, category) in python_categories() {
            let Some(character) = char::from_u32(point) else {
                assert_eq!(category, "Cs");
                continue;
            };
            let shown = is_shown_as_it_is(character);
            let hidden =
                matches!(&*category, "Cc" | "Cf" | "Zl" | "Zp" | "Co") || ignorable.binary_search(&point).is_ok();
            if hidden {
                assert!(!shown, "U+{point:04X} is {category} and is not escaped");
            } else if category != "Cn" {
                let newer = unicode_properties::UnicodeGeneralCategory::general_category(character);
                let is_known = newer != unicode_properties::GeneralCategory::Unassigned;
                assert_eq!(shown, is_known, "U+{point:04X} is {category}");
                compared += usize::from(is_known);
            }
        }
        assert!(compared > 140_000, "{compared}");
    }

    #[test]
    fn the_characters_that_hide_or_turn_text() {
        let hiding = [
            '\0',
            '\u{1b}',
            '\u{7f}',
            '\u{9b}',
            '\u{ad}',
            '\u{34f}',
            '\u{61c}',
            '\u{115f}',
            '\u{180e}',
            '\u{200b}',
            '\u{200e}',
            '\u{2028}',
            '\u{2029}',
            '\u{202e}',
            '\u{2060}',
            '\u{2066}',
            '\u{206a}',
            '\u{206f}',
            '\u{3164}',
            '\u{e000}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{fff9}',
            '\u{ffff}',
            '\u{1d173}',
            '\u{e0001}',
            '\u{e007f}',
            '\u{e0100}',
            '\u{10ffff}',
        ];
        for character in hiding {
            assert!(!is_shown_as_it_is(character), "{}", character.escape_unicode());
        }
        for character in "a ~\"'äßЖא\u{5b0}中\u{a0}\u{3000}é😀".chars() {
            assert!(is_shown_as_it_is(character), "{}", character.escape_unicode());
        }
        let escaped = printable("a\r\n\t\\\u{1b}[2J").to_string();
        assert_eq!(escaped, r"a\r\n\t\\u{1b}[2J");
        assert_eq!(printable(&escaped).to_string(), escaped);
    }

    #[test]
    fn bytes_that_are_not_utf_8() {
        assert_eq!(printable_bytes(b"\xc3\xa4\xc3\xff\x1b\\x\xe2\x80").to_string(), r"ä\xc3\xff\u{1b}\x\xe2\x80");
        assert_eq!(printable_bytes(b"").to_string(), "");
        assert_eq!(printable_start(b"abc", 3).to_string(), "abc");
        assert_eq!(printable_start("aä\n".as_bytes(), 2).to_string(), r"a\xc3 ... and 2 bytes more");
    }

    #[test]
    fn json_keeps_its_value() {
        let value = serde_json::json!({"a\u{202e}": ["\u{9b}2J", "\u{e0041}", "ä", "\u{7f}", "\n"]});
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        let shown = super::printable_json(&pretty).to_string();
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
        for hidden in ['\u{202e}', '\u{9b}', '\u{e0041}', '\u{7f}'] {
            assert!(pretty.contains(hidden) && !shown.contains(hidden), "{shown}");
        }
        assert!(shown.contains("\\udb40\\udc41") && shown.contains("ä") && shown.contains("\n  \"a"), "{shown}");
    }
}
