//! Parses the values of options that several subcommands have.

use std::{ffi::OsStr, num::ParseIntError, path::PathBuf, time::Duration};

use clap::{
    ValueEnum,
    builder::{OsStringValueParser, TypedValueParser},
};
use jiff::SignedDuration;
pub(crate) use tlsrpt_config::DEFAULT_SOCKET;

/// The format of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For scripts.
    Json,
}

/// The format of the output of a command that also makes a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PageFormat {
    /// For people.
    Text,
    /// For scripts.
    Json,
    /// For a browser: a page in one file.
    Html,
}

/// A path that fits a local socket address.
pub(crate) fn socket_path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().try_map(|text| fit_for_socket(&text))
}

pub(crate) fn fit_for_socket(text: &OsStr) -> Result<PathBuf, String> {
    match text.len() {
        0 => Err("the name of the socket is empty".into()),
        len if len > tlsrpt_socket::LONGEST_NAME => Err(format!(
            "{len} bytes are too long for the name of a socket, which has at most {}",
            tlsrpt_socket::LONGEST_NAME
        )),
        _ => Ok(PathBuf::from(text)),
    }
}

/// Permissions in octal.
pub(crate) fn mode(text: &str) -> Result<u32, String> {
    match u32::from_str_radix(text, 8) {
        Ok(mode) if mode <= 0o777 => Ok(mode),
        Ok(_) => Err("only the nine permission bits can be set: 0 to 0777".into()),
        Err(error) => Err(not_octal(&error)),
    }
}

fn not_octal(error: &ParseIntError) -> String {
    format!("write permissions in octal, for instance 0622: {error}")
}

/// A part of all, in percent.
pub(crate) fn percentage(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| (0.0..=100.0).contains(number));
    number.ok_or_else(|| "write a percentage from 0 to 100".into())
}

/// A duration: `30s`, `1h 30m`, `PT5M`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let duration: SignedDuration = text.parse().map_err(|_| "write it as 30s, 5m or 1h 30m".to_string())?;
    if duration.is_zero() {
        return Err("it must be longer than zero".into());
    }
    Duration::try_from(duration).map_err(|_| "it must not be negative".into())
}
