//! Standard output and standard error.

use std::{
    fmt::Display,
    fs::{self, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};
use tlsrpt_format::{printable, without_error_numbers};
use tlsrpt_service::messages;

use crate::{
    failure::{Failure, cannot},
    wrapping::{Wrapping, broken, width},
};

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
    Wrapping::new(AutoStream::auto(io::stdout()), width(&io::stdout()))
}

/// Standard output without styles, buffered.
pub(crate) fn for_scripts() -> io::BufWriter<io::Stdout> {
    io::BufWriter::new(io::stdout())
}

/// Writes to a file, which is replaced in one step, or else to standard output.
pub(crate) fn to(
    file: Option<&Path>,
    mut standard: impl Write,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    match file {
        Some(file) => replace(file, write),
        None => {
            write(&mut standard)?;
            Ok(standard.flush()?)
        }
    }
}

/// Replaces a file in one step: a reader sees either the old or the new content, whole, also after a power cut.
fn replace(file: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    /// For a web server or a collector of metrics, which run as other users. The umask may take from it.
    const READABLE_BY_ALL: u32 = 0o644;
    let action = || format!("write {}", file.display());
    if fs::metadata(file).is_ok_and(|found| !found.is_file()) {
        let text = format!("cannot {}: it is not a file; without --output, tlsrpt writes to standard output", action());
        return Err(Failure::Failed(text));
    }
    let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let new = tempfile::Builder::new()
        .permissions(Permissions::from_mode(READABLE_BY_ALL))
        .tempfile_in(directory)
        .map_err(cannot(action()))?;
    let mut out = io::BufWriter::new(&new);
    write(&mut out).and_then(|()| out.flush()).map_err(cannot(action()))?;
    drop(out);
    new.as_file().sync_all().map_err(cannot(action()))?;
    new.persist(file).map(drop).map_err(|failed| cannot(action())(failed.error))
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
