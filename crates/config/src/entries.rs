//! The keys of a file, each found in the table.

use tlsrpt_format::printable;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::{
    nearest::nearest,
    problem::Problem,
    table::{Key, Section},
};

/// A key with its value, as the file has it.
pub(crate) struct Entry<'f> {
    pub(crate) section: &'static Section,
    pub(crate) key: &'static Key,
    pub(crate) value: &'f DeValue<'f>,
    /// The value as it is written.
    pub(crate) written: &'f str,
    pub(crate) line: usize,
}

/// The keys of a file, and problems for unknown keys and sections.
pub(crate) struct Entries<'f> {
    text: &'f str,
    pub(crate) table: &'static [Section],
    pub(crate) known: Vec<Entry<'f>>,
    pub(crate) problems: Vec<Problem>,
}

impl<'f> Entries<'f> {
    /// `root` is the result of the parser for `text`.
    pub(crate) fn of(text: &'f str, root: &'f DeTable<'f>, table: &'static [Section]) -> Self {
        let mut entries = Self { text, table, known: Vec::new(), problems: Vec::new() };
        entries.add_table(None, "", root);
        entries
    }

    /// The line of a byte of the file.
    pub(crate) fn line(text: &str, byte: usize) -> usize {
        text.bytes().take(byte).filter(|byte| *byte == b'\n').count() + 1
    }

    fn add_table(&mut self, section: Option<&'static Section>, prefix: &str, table: &'f DeTable<'f>) {
        for (name, value) in table {
            let line = Self::line(self.text, name.span().start);
            let whole_name =
                if prefix.is_empty() { name.get_ref().to_string() } else { format!("{prefix}.{}", name.get_ref()) };
            match (key_of(section, name.get_ref()), value.get_ref()) {
                (Some((section, key)), _) => self.add(section, key, value, line),
                (None, DeValue::Table(inner)) => match section_of(self.table, &whole_name) {
                    Some(section) => self.add_table(Some(section), &whole_name, inner),
                    None => self.problems.push(Problem::at(line, unknown_section(self.table, &whole_name))),
                },
                (None, _) if section_of(self.table, &whole_name).is_some() => {
                    self.problems
                        .push(Problem::at(line, format!("{whole_name} is a section; write it as [{whole_name}]")));
                }
                (None, _) => self.problems.push(Problem::at(line, unknown_key(self.table, section, name.get_ref()))),
            }
        }
    }

    fn add(&mut self, section: &'static Section, key: &'static Key, value: &'f Spanned<DeValue<'f>>, line: usize) {
        let written = self.text.get(value.span()).unwrap_or_default();
        self.known.push(Entry { section, key, value: value.get_ref(), written, line });
    }
}

fn section_of(table: &'static [Section], name: &str) -> Option<&'static Section> {
    table.iter().find(|section| section.name() == name)
}

fn key_of(section: Option<&'static Section>, name: &str) -> Option<(&'static Section, &'static Key)> {
    let section = section?;
    section.keys.iter().find(|key| key.name() == name).map(|key| (section, key))
}

fn unknown_section(table: &[Section], name: &str) -> String {
    let names: Vec<_> = table.iter().map(Section::name).collect();
    let remedy = match nearest(name, names.iter().map(String::as_str)) {
        Some(meant) => format!("did you mean [{meant}]?"),
        None => format!("the sections are {}", names.join(", ")),
    };
    format!("unknown section [{}]; {remedy}", printable(name))
}

fn unknown_key(table: &[Section], section: Option<&'static Section>, name: &str) -> String {
    let place = section.map_or("before the first section".into(), |section| format!("in [{}]", section.name()));
    format!("unknown key {} {place}; {}", printable(name), meant(table, section, name))
}

fn meant(table: &[Section], section: Option<&'static Section>, name: &str) -> String {
    let here: Vec<_> = section.iter().flat_map(|section| section.keys).map(Key::name).collect();
    if let Some(meant) = nearest(name, here.iter().map(String::as_str)) {
        return format!("did you mean {meant}?");
    }
    let all: Vec<_> =
        table.iter().flat_map(|section| section.keys.iter().map(|key| (section.name(), key.name()))).collect();
    let place = nearest(name, all.iter().map(|(_, key)| key.as_str()))
        .and_then(|meant| all.iter().find(|(_, key)| key == meant));
    match place {
        Some((section, key)) => format!("did you mean {key} in [{section}]?"),
        None if here.is_empty() => "keys belong to a section; see tlsrpt.toml(5)".into(),
        None => format!("the keys are {}", here.join(", ")),
    }
}
