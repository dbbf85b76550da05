//! The sections of the page, which can be measured one by one.

use std::{error::Error, path::Path};

use super::{growth, large_site, partitions, reporters, settings, throughput};
use crate::arguments::Section;

/// The tables of a section.
pub(super) fn measure(section: Section, command: &Path) -> Result<String, Box<dyn Error>> {
    match section {
        Section::Throughput => throughput::measure(command),
        Section::Reporters => reporters::measure(command),
        Section::Growth => growth::measure(command),
        Section::LargeSite => large_site::measure(command),
        Section::Settings => settings::measure(command),
        Section::Partitions => partitions::measure(command),
    }
}

/// The tables of `before`, those with the same headings replaced by the ones of `measured`, and then those that are new.
pub(super) fn replace(before: &str, measured: &str) -> String {
    let split = |text: &str| text.split("\n### ").skip(1).map(|section| section.trim_end().to_owned()).collect();
    let heading = |section: &str| section.lines().next().map(str::to_owned);
    let (mut sections, measured): (Vec<String>, Vec<String>) = (split(before), split(measured));
    for section in measured {
        match sections.iter_mut().find(|old| heading(old) == heading(&section)) {
            Some(old) => *old = section,
            None => sections.push(section),
        }
    }
    sections.iter().map(|section| format!("\n### {section}\n")).collect()
}
