//! What to do about a finding: words, and a command to paste into a shell.

use std::{env, fmt, path::Path};

use nix::unistd::geteuid;
use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::paste;

/// What stands before the command. The command is the rest of the line, so that it can be pasted as a whole.
const RUN: &str = "run: ";
const SUDO: &str = "/usr/bin/sudo";

/// What to do about a finding. All remedies of this crate have a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedy {
    words: String,
    command: Option<String>,
}

impl Remedy {
    /// Words alone, for something that is not done on this host.
    pub fn words(words: impl Into<String>) -> Self {
        Self { words: words.into(), command: None }
    }

    /// A command for sh.
    pub fn run(command: impl Into<String>) -> Self {
        Self::after("", command)
    }

    /// What to consider or to do first, then a command for sh.
    pub fn after(words: impl Into<String>, command: impl Into<String>) -> Self {
        let command = command.into();
        #[cfg(test)]
        tests::assert_is_for_sh(&command);
        Self { words: words.into(), command: Some(command) }
    }

    /// The same check again, after something that no command of this host does.
    pub(crate) fn check_again(words: impl Into<String>) -> Self {
        Self::after(words, this_command())
    }

    /// The same check as a user who sees more.
    #[must_use]
    pub fn as_root() -> Self {
        let command = this_command();
        if geteuid().is_root() {
            return Self::after("only a user with more rights than this one sees it; check again", command);
        }
        let command = if Path::new(SUDO).exists() {
            format!("sudo {command}")
        } else {
            format!("su root -c {}", paste::word(&command))
        };
        Self::after("check again as root", command)
    }

    /// The command without words.
    #[must_use]
    pub fn command(&self) -> Option<&str> {
        self.command.as_deref()
    }

    /// This remedy after another command, which makes it possible.
    pub(crate) fn after_command(self, first: &str) -> Self {
        let command = self.command.map_or_else(|| first.to_owned(), |command| format!("{first} && {command}"));
        Self::after(self.words, command)
    }
}

/// The present command line.
fn this_command() -> String {
    env::args_os().map(|word| paste::word(&word.to_string_lossy())).collect::<Vec<_>>().join(" ")
}

impl fmt::Display for Remedy {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&*self.words, &self.command) {
            (words, None) => out.write_str(words),
            ("", Some(command)) => write!(out, "{RUN}{command}"),
            (words, Some(command)) => write!(out, "{words}; {RUN}{command}"),
        }
    }
}

/// Two members of a finding: the text, and the command alone.
impl Serialize for Remedy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let members = 1 + usize::from(self.command.is_some());
        let mut object = serializer.serialize_struct("Remedy", members)?;
        object.serialize_field("remedy", &self.to_string())?;
        if let Some(command) = &self.command {
            object.serialize_field("command", command)?;
        }
        object.end()
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{Remedy, this_command};

    /// Each remedy that a test of this crate makes passes here.
    pub(super) fn assert_is_for_sh(command: &str) {
        let parsed = Command::new("sh").args(["-nc", command]).output().unwrap();
        let said = String::from_utf8_lossy(&parsed.stderr);
        assert!(parsed.status.success() && said.is_empty(), "{command}: {said}");
        assert!(!command.trim().is_empty() && !command.contains('\n') && !command.contains("run:"), "{command:?}");
    }

    #[test]
    fn the_command_is_the_end_of_the_text() {
        assert_eq!(Remedy::run("a && b").to_string(), "run: a && b");
        assert_eq!(Remedy::after("first this", "a").to_string(), "first this; run: a");
        assert_eq!(Remedy::words("publish it").to_string(), "publish it");
        assert_eq!(Remedy::after("first", "b").after_command("a").to_string(), "first; run: a && b");
        assert!(Remedy::as_root().command().unwrap().contains(&this_command()));
    }

    #[test]
    #[should_panic(expected = "yntax error")]
    fn a_text_that_is_no_command_is_not_taken() {
        let _ = Remedy::run("postfix reload (as root)");
    }
}
