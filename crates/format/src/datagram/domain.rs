//! The normal form of the name of a domain.

/// The name under which the events of a domain are counted: in lower case, without a dot at the end.
#[must_use]
pub fn normalized_domain(domain: &str) -> String {
    let mut lower = domain.to_lowercase();
    if lower.strip_suffix('.').is_some_and(|name| !name.is_empty() && !name.ends_with('.')) {
        lower.pop();
    }
    lower
}

#[cfg(test)]
mod tests {
    use super::normalized_domain;

    #[test]
    fn names_are_in_lower_case_without_one_trailing_dot() {
        let cases = [("A.Example.", "a.example"), ("a..", "a.."), (".", "."), ("", ""), ("Ö", "ö")];
        for (given, expected) in cases {
            assert_eq!(normalized_domain(given), expected);
        }
    }
}
