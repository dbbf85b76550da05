//! The texts of system errors, for people.

/// The text without each ` (os error 2)`, which the standard library appends to the text of a system error.
#[must_use]
pub fn without_error_numbers(text: &str) -> String {
    let mut parts = text.split(" (os error ");
    let mut words: String = parts.next().unwrap_or_default().into();
    for part in parts {
        match part.split_once(')') {
            Some((number, rest)) if number.parse::<i32>().is_ok() => words.push_str(rest),
            _ => words.extend([" (os error ", part]),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::without_error_numbers;

    #[test]
    fn the_numbers_of_system_errors_are_removed() {
        let error = io::Error::from_raw_os_error(2);
        assert!(error.to_string().ends_with(" (os error 2)"));
        assert_eq!(
            without_error_numbers(&format!("a: {error}; b: {error}")),
            "a: No such file or directory; b: No such file or directory"
        );
        for text in ["", "a (os error x) b", "a (os error 2"] {
            assert_eq!(without_error_numbers(text), text);
        }
    }
}
