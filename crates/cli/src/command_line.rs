//! The command line.

use clap::{
    CommandFactory, FromArgMatches, Parser,
    builder::styling,
    error::{ContextKind, ContextValue},
};

use crate::{commands::Command, failure::Failure, groups, output::TITLE, wrapping::WIDEST};

/// Collects, reports and checks what a mail server observes about TLS (RFC 8460)
#[derive(Debug, Parser)]
#[command(name = "tlsrpt", version, styles = STYLES, max_term_width = WIDEST, help_template = groups::template(NAME))]
#[command(subcommand_required = true, arg_required_else_help = false)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// The style of names of subcommands and options.
const NAME: anstyle::Style = anstyle::AnsiColor::Green.on_default();
const STYLES: styling::Styles = styling::Styles::styled().header(TITLE).usage(TITLE).literal(NAME);

/// Parses the command line. For `--help` and `--version` it prints the text and ends the process.
pub(crate) fn read() -> Result<Command, Failure> {
    match definition().try_get_matches().and_then(|matches| Arguments::from_arg_matches(&matches)) {
        Ok(arguments) => Ok(arguments.command),
        Err(help) if !help.use_stderr() => help.exit(),
        Err(error) => Err(Failure::BadUse(in_one_line(&error))),
    }
}

/// The whole command, for completions.
pub(crate) fn definition() -> clap::Command {
    Arguments::command()
}

/// The error in one line, with the word that was probably meant. The text of the parser has further lines, with the usage.
fn in_one_line(error: &clap::Error) -> String {
    let rendered = error.render().to_string();
    let what = rendered.split("\n\n").next().unwrap_or_default();
    let words: Vec<_> = what.split_whitespace().collect();
    let line = words.join(" ");
    let line = line.strip_prefix("error: ").unwrap_or(&line);
    format!("{line}{} (see --help)", probably_meant(error))
}

/// The subcommand, option or value that is most similar to the one in the error.
fn probably_meant(error: &clap::Error) -> String {
    let similar = [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue];
    let nearest = similar.iter().find_map(|kind| match error.get(*kind)? {
        // The parser has the most similar one last.
        ContextValue::Strings(names) => names.last(),
        ContextValue::String(name) => Some(name),
        _ => None,
    });
    nearest.map(|name| format!("; did you mean {name}?")).unwrap_or_default()
}
