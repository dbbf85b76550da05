//! The name that was probably meant.

/// The most similar of `names`, if it is similar enough to be a misspelling.
pub(crate) fn nearest<'n>(wrong: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let distance = |name: &str| strsim::damerau_levenshtein(&wrong.to_lowercase().replace('_', "-"), name);
    let (distance, name) =
        names.into_iter().map(|name| (distance(name), name)).min_by_key(|(distance, _)| *distance)?;
    let allowed = name.chars().count().div_ceil(3);
    (distance <= allowed).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_a_name_for_a_misspelling_and_none_for_another_word() {
        let names = ["socket", "socket-mode", "socket-owner", "buffer", "keep-invalid"];
        let cases = [
            ("sokcet", Some("socket")),
            ("Socket_Mode", Some("socket-mode")),
            ("socketowner", Some("socket-owner")),
            ("bufer", Some("buffer")),
            ("keep-invald", Some("keep-invalid")),
            ("colour", None),
            ("", None),
        ];
        for (wrong, expected) in cases {
            assert_eq!(nearest(wrong, names), expected, "{wrong}");
        }
        assert_eq!(nearest("x", []), None);
    }
}
