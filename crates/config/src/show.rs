//! The configuration in force, as the text of a configuration file.

use std::fmt::Write as _;

use crate::{
    load::Loaded,
    reader::{Origin, Setting},
};

/// The text of a file with every key, its value, and the origin of the value as a comment. Keys without a value are
/// comments. Read as a configuration file, it gives the same configuration except for secrets, which are not shown.
#[must_use]
pub fn show(loaded: &Loaded) -> String {
    let lines: Vec<_> =
        loaded.settings.iter().map(|setting| (setting, line(setting), origin(loaded, setting))).collect();
    let width =
        lines.iter().map(|(_, line, _)| line.chars().count()).filter(|width| *width <= WIDEST).max().unwrap_or(0);
    let mut text = String::new();
    let mut section = String::new();
    for (setting, line, origin) in lines {
        if setting.section.name() != section {
            let empty_line = if section.is_empty() { "" } else { "\n" };
            section = setting.section.name();
            let _ = writeln!(text, "{empty_line}[{section}]");
        }
        let _ = writeln!(text, "{line:width$}  # {origin}");
    }
    text
}

/// Longer lines do not move the comments of the others.
const WIDEST: usize = 60;

fn line(setting: &Setting) -> String {
    let name = setting.key.name();
    match &setting.value {
        Some(_) if setting.key.secret => format!("# {name}"),
        Some(value) => format!("{name} = {value}"),
        None => format!("# {name}"),
    }
}

fn origin(loaded: &Loaded, setting: &Setting) -> String {
    let secret = if setting.key.secret { ", not shown" } else { "" };
    match (setting.origin, &loaded.file) {
        (Origin::File { line }, Some(file)) => format!("{}:{line}{secret}", file.display()),
        _ if setting.value.is_none() => "not set".into(),
        _ => "default".into(),
    }
}
