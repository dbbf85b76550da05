//! The problems of a file.

use std::{
    error::Error,
    fmt,
    path::{Path, PathBuf},
};

use tlsrpt_format::printable;

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The line of the file, from 1 on. None if the problem is about the file as a whole.
    pub line: Option<usize>,
    /// The problem and its remedy. One line, safe to show.
    pub message: String,
}

/// The problems of a file, in the order of its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    /// The file.
    pub file: PathBuf,
    /// At least one.
    pub list: Vec<Problem>,
}

impl Problem {
    pub(crate) fn at(line: usize, message: impl Into<String>) -> Self {
        Self { line: Some(line), message: message.into() }
    }

    /// One line: `FILE:LINE: MESSAGE`.
    pub(crate) fn in_file(&self, file: &Path) -> String {
        let file = printable(&file.to_string_lossy()).to_string();
        match self.line {
            Some(line) => format!("{file}:{line}: {}", self.message),
            None => format!("{file}: {}", self.message),
        }
    }
}

impl Problems {
    pub(crate) fn new(file: PathBuf, mut list: Vec<Problem>) -> Self {
        list.sort_by_key(|problem| problem.line);
        Self { file, list }
    }

    /// One problem, which is about the file as a whole.
    pub(crate) fn of_file(file: PathBuf, message: impl Into<String>) -> Self {
        Self { file, list: vec![Problem { line: None, message: message.into() }] }
    }

    /// One line for each problem: `FILE:LINE: MESSAGE`.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.list.iter().map(|problem| problem.in_file(&self.file))
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines().enumerate().try_for_each(|(index, line)| {
            let separator = if index == 0 { "" } else { "\n" };
            write!(out, "{separator}{line}")
        })
    }
}

impl Error for Problems {}
