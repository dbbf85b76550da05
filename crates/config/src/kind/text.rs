//! Text of any content, and secrets.

use std::fmt;

use toml::de::DeValue;

use super::definition::{Kind, Refused, quoted, string};

/// One line of text.
#[derive(Debug)]
pub enum Text {}

impl Kind for Text {
    type Value = String;
    const NAME: &'static str = "text";
    const EXAMPLE: &'static str = "\"Example GmbH\"";

    fn read(value: &DeValue<'_>) -> Result<String, Refused> {
        one_line(string(value)?)
    }

    fn show(value: &String) -> String {
        quoted(value)
    }
}

/// A text that is not shown, not even by `Debug`.
#[derive(Clone, PartialEq, Eq, PartialOrd)]
pub struct SecretText(String);

impl SecretText {
    /// The text.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SecretText(...)")
    }
}

/// One line of text that is never shown.
#[derive(Debug)]
pub enum Secret {}

impl Kind for Secret {
    type Value = SecretText;
    const NAME: &'static str = "secret text";
    const EXAMPLE: &'static str = "\"...\"";
    const SECRET: bool = true;

    fn read(value: &DeValue<'_>) -> Result<SecretText, Refused> {
        one_line(string(value)?).map(SecretText)
    }

    fn show(_: &SecretText) -> String {
        String::new()
    }
}

fn one_line(text: &str) -> Result<String, Refused> {
    match text {
        _ if text.trim().is_empty() => Err("it is empty".into()),
        _ if text.chars().any(char::is_control) => Err("it contains a line break or another control character".into()),
        _ => Ok(text.into()),
    }
}

#[cfg(test)]
mod tests {
    use toml::de::DeValue;

    use super::{Kind, Secret, Text};
    use crate::kind::definition::tests::{again, of_another_form, reason, unchanged};

    #[test]
    fn text_is_one_line_and_not_empty() {
        unchanged::<Text>(&["\"Example GmbH & Co.\"", "\"ö\""]);
        of_another_form::<Text>(&["1"]);
        assert!(reason::<Text>("\" \"").contains("empty"));
        assert!(reason::<Text>("\"a\\nb: c\"").contains("line break"));
    }

    #[test]
    fn a_secret_is_not_shown() {
        assert_eq!(again::<Secret>("\"hunter2\"").as_deref(), Ok(""));
        let secret = Secret::read(&DeValue::String("hunter2".into())).unwrap();
        assert_eq!((secret.expose(), format!("{secret:?}").as_str()), ("hunter2", "SecretText(...)"));
    }
}
