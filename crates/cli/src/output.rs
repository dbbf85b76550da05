//! What goes to the two standard outputs.

use std::{
    fmt::Display,
    io::{self, Write},
};

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};

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

/// One line on standard error. A standard error that is gone is no reason to end.
pub(crate) fn say(line: impl Display) {
    let _ = writeln!(io::stderr().lock(), "tlsrpt: {line}");
}
