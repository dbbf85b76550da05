//! What a type of values does.

use toml::de::DeValue;

/// A type of values. Implemented by types that exist only to name it in the table.
pub trait Kind {
    /// What the program gets.
    type Value: Clone + PartialOrd;

    /// The name in tlsrpt.toml(5).
    const NAME: &'static str;

    /// A value as it is written in the file, for messages.
    const EXAMPLE: &'static str;

    /// Whether values are never shown.
    const SECRET: bool = false;

    /// Reads a value of the file.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words that follow the name of the key and the value. [`Refused::Form`] where another type
    /// of TOML is needed.
    fn read(value: &DeValue<'_>) -> Result<Self::Value, Refused>;

    /// The value in the syntax of TOML, on one line.
    fn show(value: &Self::Value) -> String;
}

/// Why a value is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// It has another type, or another form.
    Form,
    /// It has the right form but is wrong for this reason.
    Because(String),
}

impl<T: Into<String>> From<T> for Refused {
    fn from(reason: T) -> Self {
        Self::Because(reason.into())
    }
}

pub(super) fn string<'v>(value: &'v DeValue<'_>) -> Result<&'v str, Refused> {
    value.as_str().ok_or(Refused::Form)
}

/// A string in the syntax of TOML.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

#[cfg(test)]
pub(crate) mod tests {
    use toml::de::DeValue;

    use super::{Kind, Refused};

    /// Reads and shows a value.
    pub(crate) fn again<K: Kind>(text: &str) -> Result<String, Refused> {
        let value = DeValue::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        K::read(value.get_ref()).map(|value| K::show(&value))
    }

    pub(crate) fn reason<K: Kind>(text: &str) -> String {
        match again::<K>(text) {
            Err(Refused::Because(reason)) => reason,
            other => panic!("{text}: {other:?}"),
        }
    }

    /// Wants each to be read and shown as it is.
    pub(crate) fn unchanged<K: Kind>(texts: &[&str]) {
        for text in texts {
            assert_eq!(again::<K>(text).as_deref(), Ok(*text));
        }
    }

    /// Wants each to be refused for its type or form.
    pub(crate) fn of_another_form<K: Kind>(texts: &[&str]) {
        for text in texts {
            assert_eq!(again::<K>(text), Err(Refused::Form), "{text}");
        }
    }
}
