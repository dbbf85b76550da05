//! Types with a few values.

use toml::de::DeValue;

use super::definition::{Kind, Refused, quoted, string};
use crate::nearest::nearest;

/// Yes or no.
#[derive(Debug)]
pub enum Bool {}

impl Kind for Bool {
    type Value = bool;
    const NAME: &'static str = "true or false";
    const EXAMPLE: &'static str = "true";

    fn read(value: &DeValue<'_>) -> Result<bool, Refused> {
        value.as_bool().ok_or(Refused::Form)
    }

    fn show(value: &bool) -> String {
        value.to_string()
    }
}

/// Makes a type with a few values, and the kind that reads it by name.
macro_rules! choice {
    ($(#[doc = $about:literal])+ $kind:ident, $type:ident: $names:literal { $($(#[doc = $doc:literal])+ $name:literal $value:ident,)+ }) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
        pub enum $type {
            $($(#[doc = $doc])+ $value,)+
        }

        #[doc = concat!("[`", stringify!($type), "`] by name.")]
        #[derive(Debug)]
        pub enum $kind {}

        impl Kind for $kind {
            type Value = $type;
            const NAME: &'static str = $names;
            const EXAMPLE: &'static str = choice!(@first $($name)+);

            fn read(value: &DeValue<'_>) -> Result<$type, Refused> {
                match string(value)? {
                    $($name => Ok($type::$value),)+
                    other => Err(not_a_choice($names, other, &[$($name,)+])),
                }
            }

            fn show(value: &$type) -> String {
                quoted(match value {
                    $($type::$value => $name,)+
                })
            }
        }
    };
    (@first $first:literal $($other:literal)*) => { stringify!($first) };
}

choice! {
    /// The action if the certificate of a destination cannot be verified.
    VerifyCertificates, Verify: "prefer or require" {
        /// The report is posted anyway.
        "prefer" Prefer,
        /// The report is not posted.
        "require" Require,
    }
}

choice! {
    /// The loss in the store after a power cut.
    Synchronously, Synchronous: "full or normal" {
        /// No commit is lost.
        "full" Full,
        /// The last commits are lost. The store stays consistent.
        "normal" Normal,
    }
}

/// The refusal of a word, with the one that was probably meant.
fn not_a_choice(names: &str, wrong: &str, choices: &[&str]) -> Refused {
    match nearest(wrong, choices.iter().copied()) {
        Some(meant) => Refused::Because(format!("expected {names}; did you mean {}?", quoted(meant))),
        None => Refused::Form,
    }
}

#[cfg(test)]
mod tests {
    use super::{Bool, Synchronously, VerifyCertificates};
    use crate::kind::definition::tests::{of_another_form, reason, unchanged};

    #[test]
    fn choices() {
        unchanged::<Bool>(&["true", "false"]);
        of_another_form::<Bool>(&["\"true\"", "1", "\"yes\""]);
        unchanged::<VerifyCertificates>(&["\"prefer\"", "\"require\""]);
        unchanged::<Synchronously>(&["\"full\"", "\"normal\""]);
        of_another_form::<VerifyCertificates>(&["true", "\"no\""]);
        assert_eq!(reason::<VerifyCertificates>("\"Requir\""), "expected prefer or require; did you mean \"require\"?");
    }
}
