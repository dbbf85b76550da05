//! Lines for people on standard error, in the form of the journal where it reads them.

use std::{env, fmt::Display, io, os::fd::AsFd, time::Duration};

use crate::messages;
use nix::sys::stat::fstat;

/// How long the end waits for lines to be written.
const PATIENCE: Duration = Duration::from_secs(1);

/// How much a line matters, as `syslog(3)` and the journal number it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The work cannot be done as it should.
    Error = 3,
    /// Something is wrong, and the work goes on.
    Warning = 4,
    /// Worth a look, but in order.
    Notice = 5,
    /// What the service does.
    Info = 6,
}

/// Writes lines. None of them waits for the reader of standard error.
#[derive(Debug, Clone, Copy)]
pub struct Log {
    journal: bool,
}

impl Log {
    /// Starts the thread that writes.
    ///
    /// # Errors
    ///
    /// The system starts no thread.
    pub fn start() -> io::Result<Self> {
        let journal = journal_reads_standard_error();
        messages::start(if journal { "<3>" } else { "tlsrpt: " })?;
        Ok(Self { journal })
    }

    /// Writes a line.
    pub fn say(self, level: Level, text: impl Display) {
        messages::write(if self.journal { format!("<{}>{text}", level as u8) } else { format!("tlsrpt: {text}") });
    }

    /// Waits until all is written, but not for ever.
    pub fn finish(self) {
        messages::finish(PATIENCE);
    }
}

/// Whether `JOURNAL_STREAM` names this very standard error (`systemd.exec(5)`).
fn journal_reads_standard_error() -> bool {
    let Ok(named) = env::var("JOURNAL_STREAM") else { return false };
    fstat(io::stderr().as_fd()).is_ok_and(|stat| named == format!("{}:{}", stat.st_dev, stat.st_ino))
}
