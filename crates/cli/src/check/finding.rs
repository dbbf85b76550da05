//! The result of one check.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::output::without_error_numbers;

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    pub(crate) status: Status,
    /// The subject of the check, in a word or two.
    pub(crate) check: &'static str,
    pub(crate) message: String,
    /// What to do; None if the check passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) remedy: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Ok,
    Warn,
    Fail,
}

impl Finding {
    pub(crate) fn ok(check: &'static str, message: impl AsRef<str>) -> Self {
        Self::new(Status::Ok, check, message.as_ref(), None)
    }

    pub(crate) fn warn(check: &'static str, message: impl AsRef<str>, remedy: impl Into<String>) -> Self {
        Self::new(Status::Warn, check, message.as_ref(), Some(remedy.into()))
    }

    pub(crate) fn fail(check: &'static str, message: impl AsRef<str>, remedy: impl Into<String>) -> Self {
        Self::new(Status::Fail, check, message.as_ref(), Some(remedy.into()))
    }

    fn new(status: Status, check: &'static str, message: &str, remedy: Option<String>) -> Self {
        Self { status, check, message: without_error_numbers(message), remedy }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::Ok => "OK",
            Self::Warn => "WARN",
            Self::Fail => "FAIL",
        })
    }
}

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
