//! JSON as Python's `json.dumps` writes it. tlsrpt-reportd compares the texts of policies: those of a tlsrpt-collectd on another host
//! are in this form.

use serde_json::Value;

/// In one line: a space behind each comma and colon.
pub(crate) fn line(value: &Value) -> String {
    let mut text = String::new();
    write(&mut text, value, None);
    text
}

/// In several lines, indented by four spaces.
pub(crate) fn indented(value: &Value) -> String {
    let mut text = String::new();
    write(&mut text, value, Some(0));
    text
}

fn write(out: &mut String, value: &Value, level: Option<usize>) {
    match value {
        Value::Array(items) => {
            list(out, ['[', ']'], level, items.iter(), write);
        }
        Value::Object(members) => list(out, ['{', '}'], level, members.iter(), |out, (name, member), level| {
            string(out, name);
            out.push_str(": ");
            write(out, member, level);
        }),
        Value::String(text) => string(out, text),
        other => out.push_str(&other.to_string()),
    }
}

fn list<T>(
    out: &mut String,
    [open, close]: [char; 2],
    level: Option<usize>,
    items: impl ExactSizeIterator<Item = T>,
    mut write_item: impl FnMut(&mut String, T, Option<usize>),
) {
    let is_empty = items.len() == 0;
    let deeper = level.map(|level| level + 1);
    out.push(open);
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push_str(if level.is_some() { "," } else { ", " });
        }
        new_line(out, deeper);
        write_item(out, item, deeper);
    }
    if !is_empty {
        new_line(out, level);
    }
    out.push(close);
}

fn new_line(out: &mut String, level: Option<usize>) {
    const INDENTATION: &str = "    ";
    if let Some(level) = level {
        out.push('\n');
        out.push_str(&INDENTATION.repeat(level));
    }
}

fn string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(character),
            other => {
                let mut units = [0; 2];
                other.encode_utf16(&mut units).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
            }
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{indented, line};

    #[test]
    fn texts_are_those_of_python() {
        let value =
            json!({"a": [1, "\u{7f}é\u{202e}😀\"\\\n\u{1}/", null, true, -2], "b": {}, "c": [], "d": {"e": [[]]}});
        let expected = r#"{"a": [1, "\u007f\u00e9\u202e\ud83d\ude00\"\\\n\u0001/", null, true, -2], "b": {}, "c": [], "d": {"e": [[]]}}"#;
        assert_eq!(line(&value), expected);
        let expected =
            "{\n    \"a\": {\n        \"b\": {},\n        \"c\": [\n            1,\n            2\n        ]\n    }\n}";
        assert_eq!(indented(&json!({"a": {"b": {}, "c": [1, 2]}})), expected);
    }
}
