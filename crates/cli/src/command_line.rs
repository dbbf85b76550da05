//! The command line.

use clap::{Parser, builder::styling};

use crate::{commands::Command, failure::Failure};

/// Collects, reports and checks what a mail server observes about TLS (RFC 8460).
#[derive(Debug, Parser)]
#[command(name = "tlsrpt", version, styles = STYLES, max_term_width = 100, after_help = EXAMPLES)]
#[command(subcommand_required = true, arg_required_else_help = false)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
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

/// Parses the command line. For `--help` and `--version` it prints the text and ends the process.
pub(crate) fn read() -> Result<Command, Failure> {
    match Arguments::try_parse() {
        Ok(arguments) => Ok(arguments.command),
        Err(help) if !help.use_stderr() => help.exit(),
        Err(error) => Err(Failure::BadUse(first_line(&error))),
    }
}

/// The whole command, for completions.
pub(crate) fn definition() -> clap::Command {
    <Arguments as clap::CommandFactory>::command()
}

/// The error in one line. The text of the parser has further lines: the usage, a tip.
fn first_line(error: &clap::Error) -> String {
    let rendered = error.render().to_string();
    let what = rendered.split("\n\n").next().unwrap_or_default();
    let words: Vec<_> = what.split_whitespace().collect();
    let line = words.join(" ");
    let line = line.strip_prefix("error: ").unwrap_or(&line);
    format!("{line} (see --help)")
}
