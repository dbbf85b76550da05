//! The word that was probably meant.

use tlsrpt_config::nearest;

/// A question for the end of a message: `; did you mean WORD?`. Empty if no word is similar.
pub(crate) fn did_you_mean<'w>(wrong: &str, words: impl IntoIterator<Item = &'w str>) -> String {
    nearest(wrong, words).map(|word| format!("; did you mean {word}?")).unwrap_or_default()
}
