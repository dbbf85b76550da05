//! Lines with a level on standard error, in the format of the journal if standard error is connected to it.

use std::{env, fmt::Display, io, os::fd::AsFd, time::Duration};

use nix::sys::stat::fstat;
use tlsrpt_format::without_error_numbers;

use crate::messages;

/// How long [`Log::finish`] waits for the waiting lines to be written.
const PATIENCE: Duration = Duration::from_secs(1);

/// The severity of a line, with the numbers of `syslog(3)` and the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The service cannot do its work.
    Error = 3,
    /// Something is wrong, but the service continues.
    Warning = 4,
    /// Normal, but significant.
    Notice = 5,
    /// Normal operation.
    Info = 6,
}

/// Writes lines without waiting for the reader of standard error.
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

    /// Writes a line, without the numbers of system errors.
    pub fn say(self, level: Level, text: impl Display) {
        let text = without_error_numbers(&text.to_string());
        messages::write(if self.journal { format!("<{}>{text}", level as u8) } else { format!("tlsrpt: {text}") });
    }

    /// Waits until all lines are written, at most one second.
    pub fn finish(self) {
        messages::finish(PATIENCE);
    }
}

/// Whether `JOURNAL_STREAM` names the device and inode of standard error (`systemd.exec(5)`).
fn journal_reads_standard_error() -> bool {
    let Ok(named) = env::var("JOURNAL_STREAM") else { return false };
    fstat(io::stderr().as_fd()).is_ok_and(|stat| named == format!("{}:{}", stat.st_dev, stat.st_ino))
}
