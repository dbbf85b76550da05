//! The one function through which text of strangers is shown.

use std::fmt::{self, Display, Write as _};

/// The text with each character escaped that moves the cursor, ends a line, hides itself or changes the direction of
/// writing. Domains, records, certificates and server answers are written by strangers.
#[must_use]
pub fn printable(text: &str) -> impl Display {
    Printable(text)
}

struct Printable<'t>(&'t str);

impl Display for Printable<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| {
            if is_harmless(character) {
                out.write_char(character)
            } else {
                write!(out, "{}", character.escape_default())
            }
        })
    }
}

fn is_harmless(character: char) -> bool {
    let changes_direction =
        matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let ends_line = matches!(character, '\u{2028}' | '\u{2029}');
    !character.is_control() && !changes_direction && !ends_line
}
