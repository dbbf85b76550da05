//! Commands in remedies, ready to be pasted into a shell.

/// The text as one word of a shell.
pub(crate) fn word(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+=:,@%".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) { text.into() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// The text as a pattern of sed between slashes, in which no character has a meaning of its own.
pub(crate) fn pattern(text: &str) -> String {
    let special = |character: char| r"\/.*[]^$".contains(character);
    text.chars().flat_map(|found| special(found).then_some('\\').into_iter().chain([found])).collect()
}

#[cfg(test)]
mod tests {
    use super::{pattern, word};

    #[test]
    fn patterns_of_sed() {
        assert_eq!(pattern("a-b_1"), "a-b_1");
        assert_eq!(pattern(r"\/.*[]^$"), r"\\\/\.\*\[\]\^\$");
    }

    #[test]
    fn words_of_a_shell() {
        assert_eq!(word("/run/a.sock"), "/run/a.sock");
        assert_eq!(word("a b"), "'a b'");
        assert_eq!(word("$(it's)"), r"'$(it'\''s)'");
        assert_eq!(word(""), "''");
    }
}
