//! `tlsrpt`: shows, sends and checks what a mail server reports about TLS (RFC 8460).

#![deny(unsafe_code)]

mod arguments;
mod check;
mod commands;
mod configuration;
mod failure;
mod listen;
mod output;
mod text;

use std::process::ExitCode;

use crate::failure::Failure;

fn main() -> ExitCode {
    let outcome = match arguments::read() {
        Ok(command) => commands::run(command),
        Err(failure) => Err(failure),
    };
    outcome.map_or_else(Failure::exit_code, |()| ExitCode::SUCCESS)
}
