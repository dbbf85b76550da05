//! Commands in remedies, ready to be pasted into a shell.

/// The text as one word of a shell.
pub(crate) fn word(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+=:,@%".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) { text.into() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::word;

    #[test]
    fn words_of_a_shell() {
        assert_eq!(word("/run/a.sock"), "/run/a.sock");
        assert_eq!(word("a b"), "'a b'");
        assert_eq!(word("$(it's)"), r"'$(it'\''s)'");
        assert_eq!(word(""), "''");
    }
}
