//! The socket of the collector, and who uses it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::access::Visitor;

/// The remedy for a name that cannot be the collector's.
pub(super) const ANOTHER_PLACE: &str = "name the path at which the collector listens";

/// The socket of the collector, as a mail server names it.
#[derive(Debug, Clone)]
pub struct Place {
    /// The name in the configuration of the mail server.
    pub name: PathBuf,
    /// The directory to which the name is relative: the working directory of the mail server or its chroot.
    pub from: Option<PathBuf>,
}

impl Place {
    /// The path outside of a chroot.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        match &self.from {
            Some(from) => from.join(self.name.strip_prefix("/").unwrap_or(&self.name)),
            None => self.name.clone(),
        }
    }

    /// The directories of the path, from the first to the last.
    pub(super) fn directories(&self) -> io::Result<Vec<PathBuf>> {
        let path = self.path();
        let last = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut directories: Vec<_> = match &self.from {
            Some(from) => {
                last.ancestors().take_while(|directory| directory.starts_with(from)).map(Into::into).collect()
            }
            None => fs::canonicalize(last)?.ancestors().map(Into::into).collect(),
        };
        directories.reverse();
        Ok(directories)
    }
}

/// Who uses the socket, and how its configuration is changed.
#[derive(Clone, Copy)]
pub(crate) struct Asker<'a> {
    pub(crate) visitor: &'a Visitor,
    /// The group that gets access, rather than everybody.
    pub(crate) group: Option<&'a str>,
    /// The command by which the mail server uses the socket at another path, if it can reach it.
    pub(crate) rename: &'a dyn Fn(&Path) -> Option<String>,
}
