//! The result of one check.

use std::fmt;

use serde::{Serialize, Serializer};
use tlsrpt_format::without_error_numbers;

use crate::remedy::Remedy;

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Whether the check passed.
    pub status: Status,
    /// The subject of the check, in a word or two.
    pub check: &'static str,
    /// The folder of the configuration, if several are checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// The thing and the fact.
    pub message: String,
    /// What to do; None if the check passed.
    #[serde(flatten)]
    pub remedy: Option<Remedy>,
}

/// How a check ended. A worse status is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Nothing to do.
    Ok,
    /// Some events or reports are missing or wrong, or it is not known.
    Warn,
    /// Nothing is reported.
    Fail,
}

impl Finding {
    /// A check that passed.
    pub fn ok(check: &'static str, message: impl AsRef<str>) -> Self {
        Self::new(Status::Ok, check, message.as_ref(), None)
    }

    /// A check that found something doubtful.
    pub fn warn(check: &'static str, message: impl AsRef<str>, remedy: Remedy) -> Self {
        Self::new(Status::Warn, check, message.as_ref(), Some(remedy))
    }

    /// A check that found a fault.
    pub fn fail(check: &'static str, message: impl AsRef<str>, remedy: Remedy) -> Self {
        Self::new(Status::Fail, check, message.as_ref(), Some(remedy))
    }

    fn new(status: Status, check: &'static str, message: &str, remedy: Option<Remedy>) -> Self {
        Self { status, check, instance: None, message: without_error_numbers(message), remedy }
    }

    /// The command of the remedy.
    #[must_use]
    pub fn command(&self) -> Option<&str> {
        self.remedy.as_ref()?.command()
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
