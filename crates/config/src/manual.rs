//! The list of keys in tlsrpt.toml(5), as mdoc source.

use std::fmt::Write as _;

use crate::{
    SECTIONS,
    table::{Default, Key, Section},
};

/// The subsections of the page, one for each section of the file.
#[must_use]
pub fn manual() -> String {
    let mut page = String::new();
    for section in SECTIONS {
        let _ = writeln!(page, ".Ss Section {}", section.name());
        page.push_str(&prose(&section.documentation.concat()));
        page.push_str(&used_by(section));
        page.push_str(".Bl -tag -width Ds\n");
        for key in section.keys {
            let _ = writeln!(page, ".It Ic {} Pq {}", key.name(), key.kind);
            page.push_str(&prose(&key.documentation.concat()));
            page.push_str(&about_value(key));
        }
        page.push_str(".El\n");
    }
    page
}

fn used_by(section: &Section) -> String {
    let names: Vec<_> = section.services.iter().map(|name| format!(".Cm {name}")).collect();
    match names.split_last() {
        Some((last, [])) => format!("Used by\n{last} .\n"),
        Some((last, [others @ .., one])) => {
            let others: String = others.iter().map(|name| format!("{name} ,\n")).collect();
            format!("Used by\n{others}{one}\nand\n{last} .\n")
        }
        None => String::new(),
    }
}

fn about_value(key: &Key) -> String {
    let default = match key.default {
        Default::Value(value) => format!("The default is\n{} .\n", literal(value)),
        Default::IfValid(value) => {
            format!("The default is\n{}\nif this host has it, otherwise none.\n", literal(value))
        }
        Default::None => "There is no default.\n".into(),
    };
    let range = key.range.map(|(least, most)| format!("From\n{}\nto\n{} .\n", literal(least), literal(most)));
    format!("{default}{}", range.unwrap_or_default())
}

fn literal(code: &str) -> String {
    format!(".Li {}", argument(code))
}

/// An argument of a macro.
fn argument(text: &str) -> String {
    let escaped = text.replace('\\', "\\e").replace('"', "\\(dq");
    if escaped.contains(' ') { format!("\"{escaped}\"") } else { escaped }
}

/// Converts text with code between backticks: each sentence and each macro gets its own line.
fn prose(text: &str) -> String {
    let mut out = String::new();
    let mut parts = text.trim().split('`');
    let mut words = parts.next().unwrap_or_default();
    loop {
        let Some(code) = parts.next() else {
            add_words(&mut out, words);
            return out;
        };
        let after = parts.next().unwrap_or_default();
        let opening = if words.ends_with('(') { "( " } else { "" };
        add_words(&mut out, words.strip_suffix('(').unwrap_or(words));
        let end =
            after.find(|character: char| !matches!(character, ')' | ',' | '.' | ':' | ';')).unwrap_or(after.len());
        let closing: String = after[..end].chars().flat_map(|character| [' ', character]).collect();
        let _ = writeln!(out, "{}{closing}", macro_for(opening, code));
        words = &after[end..];
    }
}

fn macro_for(opening: &str, code: &str) -> String {
    match code.strip_suffix(')').and_then(|rest| rest.rsplit_once('(')) {
        Some((page, section)) => format!(".Xr {opening}{page} {section}"),
        None => format!(".Li {opening}{}", argument(code)),
    }
}

fn add_words(out: &mut String, words: &str) {
    const WIDTH: usize = 80;
    let mut line = String::new();
    for word in words.split_whitespace() {
        let ends_sentence = line.ends_with(['.', '?']);
        if ends_sentence || line.len() + 1 + word.len() > WIDTH {
            let _ = writeln!(out, "{line}");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        let _ = writeln!(out, "{line}");
    }
}

#[cfg(test)]
mod tests {
    use super::prose;

    #[test]
    fn code_becomes_a_macro_with_the_punctuation_around_it() {
        let text = " Write `a b`, or (`c`). See `sendmail(8)` now. The end: \"x\".";
        let expected = "Write\n.Li \"a b\" ,\nor\n.Li ( c ) .\nSee\n.Xr sendmail 8\nnow.\nThe end: \"x\".\n";
        assert_eq!(prose(text), expected);
    }
}
