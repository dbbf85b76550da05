//! The name that was probably meant.

/// The shortest part of a name by which it is recognized.
const SHORTEST_PART: usize = 4;

/// The most similar of `names`, if it is similar enough to be a misspelling, or else the only one of which `wrong` is a part.
pub fn nearest<'n>(wrong: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let names: Vec<_> = names.into_iter().collect();
    let wrong = wrong.to_lowercase().replace('_', "-");
    let distance = |name: &str| strsim::damerau_levenshtein(&wrong, name);
    // Letters change places more often than they are left out.
    let by_distance = |name: &&&str| (distance(name), name.len().abs_diff(wrong.len()));
    let name = names.iter().min_by_key(by_distance)?;
    let allowed = name.chars().count().div_ceil(3);
    if distance(name) <= allowed {
        return Some(name);
    }
    let mut with_part = names.iter().filter(|name| wrong.len() >= SHORTEST_PART && name.contains(&wrong));
    with_part.next().copied().filter(|_| with_part.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_a_name_for_a_misspelling_and_none_for_another_word() {
        let names = ["socket", "socket-mode", "socket-owner", "buffer", "keep-invalid", "receive", "received"];
        let cases = [
            ("sokcet", Some("socket")),
            ("Socket_Mode", Some("socket-mode")),
            ("socketowner", Some("socket-owner")),
            ("bufer", Some("buffer")),
            ("keep-invald", Some("keep-invalid")),
            ("receivde", Some("received")),
            ("mode", Some("socket-mode")),
            ("sock", Some("socket")),
            ("key", None),
            ("colour", None),
            ("", None),
        ];
        for (wrong, expected) in cases {
            assert_eq!(nearest(wrong, names), expected, "{wrong}");
        }
        assert_eq!(nearest("x", []), None);
    }
}
