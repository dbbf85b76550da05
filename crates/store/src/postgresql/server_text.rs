//! Texts of strangers as the server can keep them.

use std::{borrow::Cow, fmt::Write};

use crate::hash::hash;

/// The longest name that is kept as it is. A row of an index has at most 2,700 bytes, and the name of a host 253.
const LONGEST_NAME: usize = 1000;
/// The characters of a longer name that are kept.
const BEGINNING: usize = 100;

/// The text without NUL, which no text of the server can have.
pub(super) fn without_nul(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
}

/// The name of a domain. One that is too long for an index, or has a NUL, is no host name and gets no report: it is kept by
/// its beginning and its hash.
pub(super) fn name(name: String) -> String {
    if name.len() <= LONGEST_NAME && !name.contains('\0') {
        return name;
    }
    let mut short: String = without_nul(&name).chars().take(BEGINNING).collect();
    short.push_str("... ");
    for byte in hash(&name) {
        // A string takes everything.
        let _ = write!(short, "{byte:02x}");
    }
    short
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn a_name_that_the_server_cannot_keep_is_short_and_stays_different() {
        assert_eq!(name("a.example".into()), "a.example");
        let long = |last: &str| name(format!("{}{last}", "a".repeat(3000)));
        assert!(long("b").len() < 200 && long("b") != long("c"), "{}", long("b"));
        assert!(!name("a\0.example".into()).contains('\0'));
        assert_ne!(name("a\0".into()), name("a\0\0".into()));
    }
}
