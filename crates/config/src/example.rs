//! The example file: every key as a comment, with its documentation.

use std::fmt::Write as _;

use crate::{
    DEFAULT_FILE, SECTIONS,
    table::{Default, Key, Section},
};

/// The text of the file. It changes nothing: all keys are comments.
#[must_use]
pub fn example() -> String {
    let mut text = format!(
        "# The configuration of tlsrpt, for {DEFAULT_FILE}. tlsrpt.toml(5) describes it.\n\
         #\n\
         # All keys are here, as comments, with their defaults. To change one, remove the # before it, then run:\n\
         # tlsrpt config check\n"
    );
    for section in SECTIONS {
        text.push('\n');
        comment(&mut text, &plain(section.documentation));
        comment(&mut text, &format!("Used by: {}.", services(section)));
        let _ = writeln!(text, "[{}]", section.name());
        for key in section.keys {
            text.push('\n');
            comment(&mut text, &format!("{}{}", plain(key.documentation), about_value(key)));
            let value = match key.default {
                Default::Value(text) | Default::IfValid(text) => text,
                Default::None => key.example,
            };
            let _ = writeln!(text, "#{} = {value}", key.name());
        }
    }
    text
}

fn services(section: &Section) -> String {
    let names: Vec<_> = section.services.iter().map(|name| format!("tlsrpt {name}")).collect();
    names.join(", ")
}

/// The range, and a sentence about the default unless the value in the file is the default.
fn about_value(key: &Key) -> String {
    let default = match key.default {
        Default::Value(_) => "",
        Default::IfValid(_) => " The default is this value if this host has it, otherwise none.",
        Default::None => " There is no default.",
    };
    let range = key.range.map(|(least, most)| format!(" From {least} to {most}.")).unwrap_or_default();
    format!("{default}{range}")
}

fn plain(documentation: &[&str]) -> String {
    documentation.concat().trim().replace('`', "")
}

/// Adds a comment, filled to the width of the file.
fn comment(text: &mut String, words: &str) {
    const WIDTH: usize = 100;
    let mut line = String::from("#");
    for word in words.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            let _ = writeln!(text, "{line}");
            line = String::from("#");
        }
        line.push(' ');
        line.push_str(word);
    }
    let _ = writeln!(text, "{line}");
}
