//! Failures of commands, with their message on standard error and their exit code.

use std::{fmt::Display, io, process::ExitCode};

use tlsrpt_config::Problems;

use crate::output;

/// The exit code by which a program that a mail server starts asks for another attempt (`EX_TEMPFAIL` in sysexits.h).
pub(crate) const TRY_AGAIN: u8 = 75;
/// The exit code for input that is not what it should be (`EX_DATAERR`).
pub(crate) const DATA_ERROR: u8 = 65;
/// The exit code for input that may not be taken (`EX_NOPERM`).
pub(crate) const NO_PERMISSION: u8 = 77;

/// Why a subcommand failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Wrong arguments, or input that is not in the expected form.
    #[error("{0}")]
    BadUse(String),
    /// The command could not do its work.
    #[error("{0}")]
    Failed(String),
    /// The command could not do its work. The message has several lines.
    #[error("{}", .0.join("\n"))]
    Lines(Vec<String>),
    /// The command failed, and the mail server that started it must try again later.
    #[error("{0}")]
    TryAgain(Box<Failure>),
    /// A mail that cannot be read. The mail server that started the command returns it.
    #[error("{0}")]
    Data(String),
    /// A mail that is refused. The mail server that started the command returns it.
    #[error("{0}")]
    Refused(String),
    /// Another process did the work, ended with this exit code, and has told why.
    #[error("exit code {0}")]
    Told(u8),
    /// A check failed. The output of the command already has the reason.
    #[error("a check failed")]
    Found,
    /// A check for monitoring ended with a warning. The output of the command already has the reason.
    #[error("a check warned")]
    Warned,
    /// A check for monitoring failed. The output of the command already has the reason.
    #[error("a check failed")]
    Critical,
    /// The configuration has errors.
    #[error("{0}")]
    Configuration(Problems),
    /// Standard output cannot be written to.
    #[error("standard output: {0}")]
    Output(#[from] io::Error),
}

impl Failure {
    /// Writes the message and returns the exit code. If the reader of standard output has closed the pipe, the command
    /// succeeds: the reader needs no more output.
    pub(crate) fn exit_code(self) -> ExitCode {
        if matches!(&self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe) {
            return ExitCode::SUCCESS;
        }
        self.write();
        ExitCode::from(match self {
            Self::BadUse(_) | Self::Configuration(_) | Self::Critical => 2,
            Self::Failed(_) | Self::Lines(_) | Self::Found | Self::Warned | Self::Output(_) => 1,
            Self::TryAgain(_) => TRY_AGAIN,
            Self::Data(_) => DATA_ERROR,
            Self::Refused(_) => NO_PERMISSION,
            Self::Told(code) => code,
        })
    }

    fn write(&self) {
        match self {
            Self::Found | Self::Warned | Self::Critical | Self::Told(_) => {}
            Self::Configuration(problems) => problems.lines().for_each(output::say),
            Self::TryAgain(failure) => failure.write(),
            failure => failure.lines().iter().for_each(output::say),
        }
    }

    /// The lines of the message.
    pub(crate) fn lines(&self) -> Vec<String> {
        match self {
            Self::Lines(lines) => lines.clone(),
            failure => vec![failure.to_string()],
        }
    }
}

/// Makes the failure of an action: `cannot(format!("read {}", path.display()))` gives "cannot read PATH: ERROR".
pub(crate) fn cannot<E: Display>(action: impl Display) -> impl FnOnce(E) -> Failure {
    move |error| Failure::Failed(format!("cannot {action}: {error}"))
}
