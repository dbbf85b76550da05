//! Converts the entries of the file into values, and keeps the origin of each value.

use tlsrpt_format::printable;
use toml::de::DeValue;

use crate::{
    entries::{Entries, Entry},
    kind::{Kind, Refused},
    problem::Problem,
    table::{Default, Key, Section},
};

/// A key with its value in force.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Its section in the table.
    pub section: &'static Section,
    /// Its row in the table.
    pub key: &'static Key,
    /// The value in the syntax of TOML. None if there is no value. Empty for a secret.
    pub value: Option<String>,
    /// The origin of the value.
    pub origin: Origin,
}

/// The origin of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The table of keys.
    Default,
    /// This line of the file.
    File {
        /// From 1 on.
        line: usize,
    },
}

/// Reads values and collects the problems with them.
pub(crate) struct Reader<'e, 'f> {
    entries: &'e Entries<'f>,
    pub(crate) settings: Vec<Setting>,
    pub(crate) problems: Vec<Problem>,
}

impl<'e, 'f> Reader<'e, 'f> {
    pub(crate) fn new(entries: &'e Entries<'f>) -> Self {
        Self { entries, settings: Vec::new(), problems: Vec::new() }
    }

    /// The value of a key that always has a value. None if it cannot be read.
    pub(crate) fn required<K: Kind>(&mut self, section: &str, field: &str) -> Option<K::Value> {
        self.optional::<K>(section, field).flatten()
    }

    /// The value of a key that may have no value. The outer None if it cannot be read.
    pub(crate) fn optional<K: Kind>(&mut self, section: &str, field: &str) -> Option<Option<K::Value>> {
        let (section, key) = row(self.entries.table, section, field);
        let entry = self.entries.known.iter().find(|entry| std::ptr::eq(entry.key, key));
        let (value, origin) = match entry {
            Some(entry) => match read_within::<K>(key, entry.value) {
                Ok(value) => (Some(value), Origin::File { line: entry.line }),
                Err(refused) => {
                    self.problems.push(Problem::at(entry.line, refusal::<K>(entry, refused)));
                    return None;
                }
            },
            None => (default::<K>(key), Origin::Default),
        };
        self.settings.push(Setting { section, key, value: value.as_ref().map(K::show), origin });
        Some(value)
    }
}

fn row(table: &'static [Section], section: &str, field: &str) -> (&'static Section, &'static Key) {
    table
        .iter()
        .filter(|of_table| of_table.field == section)
        .flat_map(|section| section.keys.iter().map(move |key| (section, key)))
        .find(|(_, key)| key.field == field)
        .expect("the table has a row for each field that it makes")
}

fn default<K: Kind>(key: &Key) -> Option<K::Value> {
    match key.default {
        Default::None => None,
        Default::Value(text) => {
            Some(read_text::<K>(text).unwrap_or_else(|refused| panic!("default of {}: {refused:?}", key.field)))
        }
        Default::IfValid(text) => read_text::<K>(text).ok(),
    }
}

fn read_text<K: Kind>(text: &str) -> Result<K::Value, Refused> {
    let value = DeValue::parse(text).map_err(|error| Refused::Because(error.message().into()))?;
    K::read(value.get_ref())
}

fn read_within<K: Kind>(key: &Key, value: &DeValue<'_>) -> Result<K::Value, Refused> {
    let value = K::read(value)?;
    let Some((least, most)) = key.range else { return Ok(value) };
    if read_text::<K>(least)? <= value && value <= read_text::<K>(most)? {
        Ok(value)
    } else {
        Err(format!("must be from {least} to {most}").into())
    }
}

fn refusal<K: Kind>(entry: &Entry<'_>, refused: Refused) -> String {
    let reason = match refused {
        Refused::Form => format!("expected a value of the type {}, for instance {}", K::NAME, K::EXAMPLE),
        Refused::Because(reason) => reason,
    };
    let written = if K::SECRET { String::new() } else { format!(" = {}", shortened(entry.written)) };
    format!("[{}] {}{written}: {reason}", entry.section.name(), entry.key.name())
}

/// The beginning of the first line.
fn shortened(written: &str) -> String {
    const LONGEST: usize = 60;
    let first = written.lines().next().unwrap_or_default();
    let beginning: String = first.chars().take(LONGEST).collect();
    let rest = if beginning.len() < written.len() { "..." } else { "" };
    format!("{}{rest}", printable(&beginning))
}
