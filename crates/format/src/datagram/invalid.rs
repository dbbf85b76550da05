//! The reasons why a datagram is invalid.

use std::fmt;

/// The kinds of invalid datagrams. A collector counts them by this reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum InvalidReason {
    /// More than [`crate::datagram::LONGEST`] bytes.
    TooLong,
    /// Not UTF-8.
    NotUtf8,
    /// Not JSON.
    NotJson,
    /// JSON with arrays and objects nested more than 127 deep.
    TooDeep,
    /// A number beyond the range of its member.
    NumberOutOfRange,
    /// JSON, but not an object, or a member of another type.
    WrongType,
    /// A required member is missing, for instance `d`.
    MissingMember,
    /// The member `dpv` names a version other than [`crate::datagram::VERSION`].
    OtherVersion,
}

impl InvalidReason {
    /// Every reason.
    pub const ALL: [Self; 8] = [
        Self::TooLong,
        Self::NotUtf8,
        Self::NotJson,
        Self::TooDeep,
        Self::NumberOutOfRange,
        Self::WrongType,
        Self::MissingMember,
        Self::OtherVersion,
    ];

    /// A stable short name for storage and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TooLong => "too-long",
            Self::NotUtf8 => "not-utf8",
            Self::NotJson => "not-json",
            Self::TooDeep => "too-deep",
            Self::NumberOutOfRange => "number-out-of-range",
            Self::WrongType => "wrong-type",
            Self::MissingMember => "missing-member",
            Self::OtherVersion => "other-version",
        }
    }

    /// The reason with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

impl fmt::Display for InvalidReason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

/// Why a datagram is invalid: the reason, and a sentence.
///
/// The sentence may quote the datagram. Show it through [`crate::printable`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// The kind of defect.
    pub reason: InvalidReason,
    /// The defect and its place, for instance `policies[0].policy-type is not a number`.
    pub detail: String,
}

impl Invalid {
    pub(super) fn new(reason: InvalidReason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.detail)
    }
}

impl std::error::Error for Invalid {}

#[cfg(test)]
mod tests {
    use super::InvalidReason;

    #[test]
    fn names_translate_both_ways() {
        for reason in InvalidReason::ALL {
            assert_eq!(InvalidReason::from_name(reason.name()), Some(reason));
        }
        assert_eq!(InvalidReason::from_name("valid"), None);
    }
}
