//! Lists of tags (RFC 6376 section 3.2).

use std::collections::BTreeMap;

/// The tags by name. Each may be there once.
#[derive(Debug)]
pub(super) struct Tags(BTreeMap<String, String>);

impl Tags {
    pub(super) fn of(text: &str) -> Option<Self> {
        let mut tags = BTreeMap::new();
        for item in text.split(';').map(str::trim).filter(|item| !item.is_empty()) {
            let (name, value) = item.split_once('=')?;
            if tags.insert(name.trim().to_owned(), value.trim().to_owned()).is_some() {
                return None;
            }
        }
        Some(Self(tags))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The value without white space, as base64 is written in lines.
    pub(super) fn packed(&self, name: &str) -> Option<String> {
        self.get(name).map(|value| value.split_whitespace().collect())
    }

    /// Whether a list with colons has one of these, or the tag is not there.
    pub(super) fn permits(&self, name: &str, wanted: &[&str]) -> bool {
        self.get(name).is_none_or(|list| list.split(':').any(|item| wanted.contains(&item.trim())))
    }
}
