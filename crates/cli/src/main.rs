//! `tlsrpt`: collects, reports and checks what a mail server observes about TLS (RFC 8460).

#![deny(unsafe_code)]

mod arguments;
mod attempt;
mod command_line;
mod commands;
mod configuration;
mod day;
mod failure;
mod groups;
mod listen;
mod nearest;
mod output;
mod output_file;
mod record;
mod reporting;
mod text;
mod wrapping;

use std::{process::ExitCode, time::Duration};

use tlsrpt_service::messages;

use crate::failure::Failure;

/// How long the command waits at its end until its messages are written to standard error.
const LAST_MESSAGES: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let outcome = match command_line::read() {
        Ok(command) => commands::run(command, command_line::definition),
        Err(failure) => Err(failure),
    };
    let code = outcome.map_or_else(Failure::exit_code, |()| ExitCode::SUCCESS);
    messages::finish(LAST_MESSAGES);
    code
}
