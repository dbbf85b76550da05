//! The trait of a type of values.

use toml::de::DeValue;

/// A type of values. Implemented by types that exist only to name it in the table.
pub trait Kind {
    /// The type of the value in the program.
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
    /// The reason why the value is refused, as text that follows the name of the key and the value. [`Refused::Form`]
    /// if the value has the wrong type of TOML.
    fn read(value: &DeValue<'_>) -> Result<Self::Value, Refused>;

    /// The value in the syntax of TOML, on one line.
    fn show(value: &Self::Value) -> String;
}

/// Why a value is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// It has another type, or another form.
    Form,
    /// It has the right form, but is refused for this reason.
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

    /// Checks that each is read and shown unchanged.
    pub(crate) fn unchanged<K: Kind>(texts: &[&str]) {
        for text in texts {
            assert_eq!(again::<K>(text).as_deref(), Ok(*text));
        }
    }

    /// Checks that each is refused for its type or form.
    pub(crate) fn of_another_form<K: Kind>(texts: &[&str]) {
        for text in texts {
            assert_eq!(again::<K>(text), Err(Refused::Form), "{text}");
        }
    }
}
