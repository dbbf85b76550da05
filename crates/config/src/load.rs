//! Reads the file, or uses the defaults.

use std::path::{Path, PathBuf};

use tlsrpt_format::printable;
use toml::de::DeTable;

use crate::{
    Configuration, DEFAULT_FILE, SECTIONS,
    contradictions::contradictions,
    entries::Entries,
    file::{self, Content, Unreadable},
    problem::{Problem, Problems},
    reader::{Reader, Setting},
    warnings::warnings,
};

/// A configuration that is in force.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The values.
    pub configuration: Configuration,
    /// The same values in the order of the table, with their origins.
    pub settings: Vec<Setting>,
    /// The file. None if there is no file and every value is a default.
    pub file: Option<PathBuf>,
    /// Settings that are allowed but unwise.
    pub warnings: Vec<Problem>,
}

impl Loaded {
    /// One line for each warning: `FILE:LINE: MESSAGE`.
    pub fn warning_lines(&self) -> impl Iterator<Item = String> {
        let file = self.file.as_deref().unwrap_or(Path::new(DEFAULT_FILE));
        self.warnings.iter().map(|warning| warning.in_file(file))
    }
}

/// Reads the configuration from `file`, which must exist, or from [`DEFAULT_FILE`], which need not.
///
/// # Errors
///
/// All problems of the file: it is missing, unreadable, too large or not TOML; a key is unknown; a value has the wrong
/// type, is out of range or contradicts another.
pub fn load(file: Option<&Path>) -> Result<Loaded, Problems> {
    let path = file.unwrap_or(Path::new(DEFAULT_FILE));
    match file::read(path) {
        Ok(Content { text, metadata }) => {
            let mut loaded = load_text(path, &text)?;
            loaded.warnings = warnings(&loaded.settings, path, &metadata);
            Ok(loaded)
        }
        Err(Unreadable::Missing) if file.is_none() => Ok(Loaded { file: None, ..load_text(path, "")? }),
        Err(Unreadable::Missing) => Err(Problems::of_file(path.into(), "there is no such file")),
        Err(Unreadable::Because(line, message)) => Err(Problems::new(path.into(), vec![Problem { line, message }])),
    }
}

/// Reads the configuration from the text of a file. `path` is for messages.
///
/// # Errors
///
/// As for [`load`].
pub fn load_text(path: &Path, text: &str) -> Result<Loaded, Problems> {
    let (root, errors) = DeTable::parse_recoverable(text);
    let syntax = errors.iter().map(|error| {
        let line = Entries::line(text, error.span().map_or(0, |span| span.start));
        Problem::at(line, format!("syntax error: {}", printable(&error.message().replace('\n', "; "))))
    });
    let mut problems: Vec<_> = syntax.collect();
    let entries = Entries::of(text, root.get_ref(), SECTIONS);
    let mut reader = Reader::new(&entries);
    let configuration = Configuration::read(&mut reader);
    let Reader { settings, problems: bad_values, .. } = reader;

    // After a syntax error the parser continues with a guess about the line, so other problems in that line are left
    // out.
    let further: Vec<_> = entries
        .problems
        .into_iter()
        .chain(bad_values)
        .filter(|further| problems.iter().all(|syntax| syntax.line != further.line))
        .collect();
    problems.extend(further);
    if let Some(configuration) = &configuration {
        problems.extend(contradictions(configuration, &settings));
    }
    match configuration {
        Some(configuration) if problems.is_empty() => {
            Ok(Loaded { configuration, settings, file: Some(path.into()), warnings: Vec::new() })
        }
        _ => Err(Problems::new(path.into(), problems)),
    }
}
