//! Standard output and standard error.

use std::{fmt::Display, io};

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};
use tlsrpt_format::{printable, without_error_numbers};
use tlsrpt_service::messages;

use crate::wrapping::{Wrapping, broken, width};

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

/// Standard output with styles and broken lines, both only if it is a terminal or the environment asks for them.
pub(crate) fn for_people() -> Wrapping<AutoStream<io::Stdout>> {
    Wrapping::new(AutoStream::auto(io::stdout()), width_for_people())
}

/// The width to which [`for_people`] breaks lines.
pub(crate) fn width_for_people() -> Option<usize> {
    width(&io::stdout())
}

/// Standard output without styles, buffered.
pub(crate) fn for_scripts() -> io::BufWriter<io::Stdout> {
    io::BufWriter::new(io::stdout())
}

/// Standard output for a form: for people as [`for_people`], otherwise as [`for_scripts`].
pub(crate) fn standard(is_for_people: bool) -> Box<dyn io::Write> {
    if is_for_people { Box::new(for_people()) } else { Box::new(for_scripts()) }
}

/// The beginning of messages on standard error.
pub(crate) const MESSAGE_PREFIX: &str = "tlsrpt: ";

/// Writes one line on standard error, escaped, so that it stays one line but for a terminal, and without the numbers of system errors. It
/// does not wait once [`messages::start`] has started the thread that writes.
pub(crate) fn say(line: impl Display) {
    let line = without_error_numbers(&line.to_string());
    let line = format!("{MESSAGE_PREFIX}{}", printable(&line));
    messages::write(match width(&io::stderr()) {
        Some(width) => broken(&line, width),
        None => line,
    });
}
