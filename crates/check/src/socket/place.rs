//! The socket of the collector, and who uses it.

use std::{
    env,
    path::{Path, PathBuf},
};

use super::way::Way;
use crate::{access::Visitor, collector::Collector};

/// The socket of the collector, as a mail server names it.
#[derive(Debug, Clone)]
pub struct Place {
    /// The name in the configuration of the mail server.
    pub name: PathBuf,
    /// The directory to which the name is relative: the working directory of the mail server or its chroot.
    pub from: Option<PathBuf>,
    /// Whether this directory is a chroot.
    pub is_chroot: bool,
}

impl Place {
    /// A name that means the same file for the mail server as for this process.
    #[must_use]
    pub fn of_host(name: &Path) -> Self {
        Self { name: name.into(), from: None, is_chroot: false }
    }

    /// The directory that is a chroot.
    pub(crate) fn chroot(&self) -> Option<&Path> {
        self.from.as_deref().filter(|_| self.is_chroot)
    }

    /// The path outside of a chroot. In a chroot, symbolic links on it may lead to other files.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        match &self.from {
            Some(from) => from.join(self.name.strip_prefix("/").unwrap_or(&self.name)),
            None => self.name.clone(),
        }
    }

    /// The way on which the mail server finds the socket.
    pub(super) fn way(&self) -> Way {
        match &self.from {
            Some(from) if self.is_chroot => Way::follow(from, from, &self.name),
            Some(from) => Way::follow(Path::new("/"), from, &self.name),
            None => {
                let name = env::current_dir().map_or_else(|_| self.name.clone(), |folder| folder.join(&self.name));
                Way::follow(Path::new("/"), Path::new("/"), &name)
            }
        }
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
    /// The path at which the mail server can reach a collector.
    pub(crate) usual: &'a Path,
    /// The collector of this host.
    pub(crate) collector: &'a Collector,
}
