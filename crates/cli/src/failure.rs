//! How the command ends when not all is well: one line on standard error, and an exit code.

use std::{io, process::ExitCode};

use tlsrpt_config::Problems;

use crate::output;

/// Why a subcommand ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The command was called wrongly, or was given something to read that it cannot read.
    #[error("{0}")]
    BadUse(String),
    /// What was asked for could not be done.
    #[error("{0}")]
    Failed(String),
    /// A check did not pass. The findings stand on standard output.
    #[error("a check failed")]
    Found,
    /// The configuration has errors.
    #[error("{0}")]
    Configuration(Problems),
    /// Standard output took no more.
    #[error("standard output: {0}")]
    Output(#[from] io::Error),
}

impl Failure {
    /// Says what went wrong and gives the exit code. Whoever closed the pipe behind standard output has seen enough, so
    /// that ends the command without a word.
    pub(crate) fn exit_code(self) -> ExitCode {
        match &self {
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => return ExitCode::SUCCESS,
            Self::Found => {}
            Self::Configuration(problems) => problems.lines().for_each(output::say),
            said => output::say(said),
        }
        ExitCode::from(match self {
            Self::BadUse(_) | Self::Configuration(_) => 2,
            Self::Failed(_) | Self::Found | Self::Output(_) => 1,
        })
    }
}
