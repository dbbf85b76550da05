//! What goes to the two standard outputs.

use std::{fmt::Display, io};

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};
use tlsrpt_service::messages;

/// Good news.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// Something to look at.
pub(crate) const DOUBTFUL: Style = AnsiColor::Yellow.on_default();
/// Bad news.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// The name of what follows.
pub(crate) const LABEL: Style = Style::new().dimmed();
/// What the eye looks for first.
pub(crate) const TITLE: Style = Style::new().bold();

/// Standard output for people: with colours on a terminal, without elsewhere.
pub(crate) fn for_people() -> AutoStream<io::Stdout> {
    AutoStream::auto(io::stdout())
}

/// Standard output for scripts: the bytes as they are.
pub(crate) fn for_scripts() -> io::BufWriter<io::Stdout> {
    io::BufWriter::new(io::stdout())
}

/// What messages on standard error begin with.
pub(crate) const MESSAGE_PREFIX: &str = "tlsrpt: ";

/// Writes one line on standard error. Does not wait after a service has started its thread for messages.
pub(crate) fn say(line: impl Display) {
    messages::write(format!("{MESSAGE_PREFIX}{line}"));
}
