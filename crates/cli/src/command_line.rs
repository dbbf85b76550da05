//! The command line.

use std::env;

use clap::{
    CommandFactory, FromArgMatches, Parser,
    builder::styling,
    error::{ContextKind, ContextValue, ErrorKind},
};

use crate::{
    attempt::{again, is_for_mail_server},
    commands::Command,
    failure::Failure,
    groups,
    nearest::did_you_mean,
    output::TITLE,
    wrapping::WIDEST,
};

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
        Err(error) => {
            let words: Vec<_> = env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
            let failure = Failure::BadUse(in_one_line(&error, &words));
            // A mistake in the configuration of the mail server must not return mails.
            Err(if is_for_mail_server(command_of(&words).get_name()) { again(failure) } else { failure })
        }
    }
}

/// The whole command, for completions.
pub(crate) fn definition() -> clap::Command {
    Arguments::command()
}

/// The remedy for an option before the subcommand that has it.
const BEHIND: &str = "; write options behind the subcommand";

/// The error about these words in one line, with the word that was probably meant. The text of the parser has further lines, with
/// the usage.
fn in_one_line(error: &clap::Error, words: &[String]) -> String {
    if matches!(error.kind(), ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand) {
        return without_subcommand(words);
    }
    let rendered = error.render().to_string();
    let what = rendered.split("\n\n").next().unwrap_or_default();
    let line = what.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.strip_prefix("error: ").unwrap_or(&line);
    format!("{line}{} (see --help)", probably_meant(error, words))
}

/// The subcommand, option or value that is most similar to the one in the error. The parser itself does not recognize short words.
fn probably_meant(error: &clap::Error, words: &[String]) -> String {
    let command = command_of(words);
    let (kind, names): (_, Vec<_>) = match error.kind() {
        ErrorKind::InvalidValue => match error.get(ContextKind::ValidValue) {
            Some(ContextValue::Strings(values)) => (ContextKind::InvalidValue, values.clone()),
            _ => return String::new(),
        },
        ErrorKind::UnknownArgument => {
            let names = command.get_arguments().filter_map(clap::Arg::get_long).map(|name| format!("--{name}"));
            (ContextKind::InvalidArg, names.collect())
        }
        ErrorKind::InvalidSubcommand => (ContextKind::InvalidSubcommand, subcommands(&command)),
        ErrorKind::ArgumentConflict if error.get(ContextKind::InvalidSubcommand).is_some() => return BEHIND.into(),
        _ => return String::new(),
    };
    match error.get(kind) {
        Some(ContextValue::String(option)) if names.contains(option) => BEHIND.into(),
        Some(ContextValue::String(wrong)) => did_you_mean(wrong, names.iter().map(String::as_str)),
        _ => String::new(),
    }
}

/// The error about a missing subcommand. The parser would list the hidden ones too.
fn without_subcommand(words: &[String]) -> String {
    let command = command_of(words);
    match command.get_name() {
        "tlsrpt" => "a subcommand is missing; tlsrpt --help lists them".into(),
        name => format!("tlsrpt {name} needs a word more: {} (see --help)", subcommands(&command).join(", ")),
    }
}

/// The names of the subcommands that the help shows.
fn subcommands(command: &clap::Command) -> Vec<String> {
    let shown = command.get_subcommands().filter(|subcommand| !subcommand.is_hide_set());
    shown.map(|subcommand| subcommand.get_name().to_owned()).filter(|name| name != "help").collect()
}

/// The subcommand that these words name, as far as they name one.
fn command_of(words: &[String]) -> clap::Command {
    let mut command = definition();
    command.build();
    for word in words {
        if let Some(subcommand) = command.find_subcommand(word) {
            command = subcommand.clone();
        }
    }
    command
}

#[cfg(test)]
mod tests {
    use clap::builder::PossibleValue;

    use super::{definition, in_one_line};

    /// The word with its last two letters exchanged, or without the last if they are equal.
    fn misspelt(word: &str) -> String {
        let mut letters: Vec<_> = word.chars().collect();
        let last = letters.len() - 1;
        if letters[last] == letters[last - 1] {
            letters.pop();
        } else {
            letters.swap(last, last - 1);
        }
        letters.into_iter().collect()
    }

    fn complaint(words: &[String]) -> String {
        let all = std::iter::once("tlsrpt").chain(words.iter().map(String::as_str));
        in_one_line(&definition().try_get_matches_from(all).expect_err("a misspelt word"), words)
    }

    /// Misspells each subcommand, option and value of a command, and calls `see` with the complaint and the right word.
    fn misspell_all(command: &clap::Command, before: &[String], see: &mut impl FnMut(String, &str)) {
        let with = |more: &[String]| [before, more].concat();
        for option in command.get_arguments() {
            let Some(name) = option.get_long() else { continue };
            see(complaint(&with(&[format!("--{}", misspelt(name))])), &format!("--{name}"));
            for value in option.get_possible_values().iter().map(PossibleValue::get_name) {
                see(complaint(&with(&[format!("--{name}={}", misspelt(value))])), value);
            }
        }
        for subcommand in command.get_subcommands().filter(|subcommand| !subcommand.is_hide_set()) {
            let name = subcommand.get_name();
            // What follows it is a subcommand again.
            if name == "help" {
                continue;
            }
            // A word in the place of a domain is a domain.
            if !command.get_positionals().any(|positional| positional.get_id() == "domain") {
                see(complaint(&with(&[misspelt(name)])), name);
            }
            misspell_all(subcommand, &with(&[name.into()]), see);
        }
    }

    /// An option before a subcommand is an error: if it were left out, the subcommand would change another store than was meant.
    #[test]
    fn no_option_is_left_out_before_a_subcommand() {
        fn look(command: &clap::Command, seen: &mut usize) {
            let has_options = command.get_arguments().any(|argument| argument.get_id() != "help");
            if command.get_subcommands().any(|subcommand| subcommand.get_name() != "help") && has_options {
                *seen += 1;
                assert!(command.is_args_conflicts_with_subcommands_set(), "{}", command.get_name());
            }
            command.get_subcommands().for_each(|subcommand| look(subcommand, seen));
        }
        let mut whole = definition();
        whole.build();
        let mut seen = 0;
        whole.get_subcommands().for_each(|subcommand| look(subcommand, &mut seen));
        assert!(seen >= 3, "only {seen} commands");
    }

    #[test]
    fn each_misspelt_word_is_told_with_the_right_one() {
        let mut seen = 0;
        let mut missed = Vec::new();
        let mut whole = definition();
        whole.build();
        misspell_all(&whole, &[], &mut |complaint, right| {
            seen += 1;
            if !complaint.contains(&format!("; did you mean {right}?")) {
                missed.push(format!("{right}: {complaint}"));
            }
        });
        assert!(seen > 150, "only {seen} words");
        assert!(missed.is_empty(), "{missed:#?}");
    }
}
