//! Standard output and standard error.

use std::{fmt::Display, io};

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};
use tlsrpt_format::printable;
use tlsrpt_service::messages;

/// The style of good results.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// The style of warnings.
pub(crate) const DOUBTFUL: Style = AnsiColor::Yellow.on_default();
/// The style of errors.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// The style of labels.
pub(crate) const LABEL: Style = Style::new().dimmed();
/// The style of the most important word.
pub(crate) const TITLE: Style = Style::new().bold();

/// Standard output with styles, which are removed if it is not a terminal.
pub(crate) fn for_people() -> AutoStream<io::Stdout> {
    AutoStream::auto(io::stdout())
}

/// Standard output without styles, buffered.
pub(crate) fn for_scripts() -> io::BufWriter<io::Stdout> {
    io::BufWriter::new(io::stdout())
}

/// The beginning of messages on standard error.
pub(crate) const MESSAGE_PREFIX: &str = "tlsrpt: ";

/// Writes one line on standard error, escaped, so that it stays one line, and without the numbers of system errors. It
/// does not wait once [`messages::start`] has started the thread that writes.
pub(crate) fn say(line: impl Display) {
    let line = without_error_numbers(&line.to_string());
    messages::write(format!("{MESSAGE_PREFIX}{}", printable(&line)));
}

/// The text without each ` (os error 2)`, which the standard library appends to the text of a system error.
pub(crate) fn without_error_numbers(text: &str) -> String {
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
