//! The outcome of one attempt to deliver a report to one destination.

use std::time::Duration;

use tlsrpt_format::without_error_numbers;

/// The outcome of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The destination has the report.
    Delivered {
        /// The server's answer, in its own words; empty where it has none.
        answer: String,
        /// A problem that did not prevent the delivery, such as an expired certificate.
        warning: Option<String>,
    },
    /// The destination does not have the report, or this is unknown. It is tried again.
    Deferred {
        /// The server's answer or the error, in words.
        answer: String,
        /// How long the server asks to wait.
        wait: Option<Duration>,
        /// The connection was lost after the report was sent, so the destination may have it. Another attempt has the same report
        /// id and Message-ID, by which the receiver can recognize the report.
        unknown: bool,
    },
    /// The destination refuses the report permanently.
    Refused {
        /// The server's answer or the reason, in words.
        answer: String,
    },
}

/// The longest answer that is stored, in bytes. Remote servers write it.
const LONGEST_ANSWER: usize = 500;

/// An answer or an error as it is stored: one line of limited length, without the numbers of system errors. It is escaped when it is shown.
pub(crate) fn answer(text: impl std::fmt::Display) -> String {
    let text = without_error_numbers(&text.to_string());
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut end = words.len().min(LONGEST_ANSWER);
    while !words.is_char_boundary(end) {
        end -= 1;
    }
    words.get(..end).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_answer_is_one_line_of_bounded_length() {
        assert_eq!(super::answer(" 550 5.1.1\r\n  no such\tuser "), "550 5.1.1 no such user");
        assert_eq!(super::answer(std::io::Error::from_raw_os_error(2)), "No such file or directory");
        assert_eq!(super::answer("ä".repeat(400)).len(), 500);
        assert_eq!(super::answer(format!("a{}", "ä".repeat(400))).len(), 499);
    }
}
