//! Writes indented, escaped JSON.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

use crate::printable_json;

/// Writes a value as indented JSON, with the characters escaped that [`printable_json`] escapes. It makes no copy of
/// the text.
///
/// # Errors
///
/// The writer fails, or the value cannot be written as JSON.
pub fn write_pretty_json(out: impl Write, value: &impl Serialize) -> io::Result<()> {
    let formatter = Printable(PrettyFormatter::new());
    Ok(value.serialize(&mut Serializer::with_formatter(out, formatter))?)
}

struct Printable(PrettyFormatter<'static>);

/// Like [`PrettyFormatter`], except for the text in strings.
impl Formatter for Printable {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, text: &str) -> io::Result<()> {
        write!(out, "{}", printable_json(text))
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_array(out)
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array(out)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array_value(out)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object(out)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object(out)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_value(out)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::write_pretty_json;
    use crate::printable_json;

    #[test]
    fn it_is_pretty_json_with_hidden_characters_escaped() {
        let value = json!({"a\u{202e}": ["\u{9b}2J", "\n\u{1b}\"", {}, [], {"b": 1}], "c": null, "d": 0.5});
        let mut written = Vec::new();
        write_pretty_json(&mut written, &value).unwrap();
        let written = String::from_utf8(written).unwrap();
        assert_eq!(written, printable_json(&serde_json::to_string_pretty(&value).unwrap()).to_string());
        assert!(written.contains("\\u202e") && !written.contains('\u{9b}'), "{written}");
    }
}
