//! The command line: which subcommand, and the kinds of values that several of them take.

use std::{ffi::OsStr, num::ParseIntError, path::PathBuf, time::Duration};

use clap::{
    Parser, Subcommand, ValueEnum,
    builder::{OsStringValueParser, TypedValueParser, styling},
};
use jiff::SignedDuration;

use crate::{commands, failure::Failure};

/// Where the collector listens unless another place is named.
pub(crate) const DEFAULT_SOCKET: &str = "/run/tlsrpt/tlsrpt.sock";

/// Shows, sends and checks what a mail server reports about TLS (RFC 8460).
#[derive(Debug, Parser)]
#[command(name = "tlsrpt", version, styles = STYLES, max_term_width = 100, after_help = EXAMPLES)]
#[command(subcommand_required = true, arg_required_else_help = false)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// The subcommands. Each has its arguments and its work in a file of its own below `commands`.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Listen(commands::listen::Arguments),
    Send(commands::send::Arguments),
    Check(commands::check::Arguments),
    Collect(commands::collect::Arguments),
    Record(commands::record::Arguments),
    SendmailMap(commands::sendmail_map::Arguments),
    Status(commands::status::Arguments),
    Config(commands::config::Arguments),
    Deliver(commands::deliver::Arguments),
    Reports(commands::reports::Arguments),
    Suppress(commands::suppress::Arguments),
    Bounce(commands::bounce::Arguments),
    #[command(hide = true)]
    Completions(commands::completions::Arguments),
    #[command(hide = true)]
    LibraryVersion(commands::library_version::Arguments),
}

const STYLES: styling::Styles = styling::Styles::styled()
    .header(anstyle::Style::new().bold())
    .usage(anstyle::Style::new().bold())
    .literal(anstyle::AnsiColor::Green.on_default());

const EXAMPLES: &str = "\
Examples:
  tlsrpt check --postfix
  tlsrpt listen --socket /run/tlsrpt/tlsrpt.sock
  tlsrpt record 'v=TLSRPTv1; rua=mailto:tls@example.org'";

/// The form of what is printed where there are two: for people, or for scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For scripts.
    Json,
}

/// Reads the command line. `--help` and `--version` are answered here and end the process.
pub(crate) fn read() -> Result<Command, Failure> {
    match Arguments::try_parse() {
        Ok(arguments) => Ok(arguments.command),
        Err(answer) if !answer.use_stderr() => answer.exit(),
        Err(error) => Err(Failure::BadUse(first_line(&error))),
    }
}

/// The whole command, for completions.
pub(crate) fn definition() -> clap::Command {
    <Arguments as clap::CommandFactory>::command()
}

/// What is wrong, in one line. The parser says more, in several: the usage, a tip.
fn first_line(error: &clap::Error) -> String {
    let rendered = error.render().to_string();
    let what = rendered.split("\n\n").next().unwrap_or_default();
    let words: Vec<_> = what.split_whitespace().collect();
    let line = words.join(" ");
    let line = line.strip_prefix("error: ").unwrap_or(&line);
    format!("{line} (see --help)")
}

/// A path that fits a local socket address.
pub(crate) fn socket_path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().try_map(|text| fit_for_socket(&text))
}

pub(crate) fn fit_for_socket(text: &OsStr) -> Result<PathBuf, String> {
    match text.len() {
        0 => Err("a socket needs a name".into()),
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
    format!("permissions are written in octal, for instance 0622: {error}")
}

/// A length of time: `30s`, `1h 30m`, `PT5M`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let duration: SignedDuration = text.parse().map_err(|_| "write it as 30s, 5m or 1h 30m".to_string())?;
    if duration.is_zero() {
        return Err("it must be longer than nothing".into());
    }
    Duration::try_from(duration).map_err(|_| "it must not be negative".into())
}
