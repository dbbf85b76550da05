//! The lists of a policy whose items are texts.

/// A list of the open policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextList {
    PolicyStrings,
    MxHostPatterns,
}
