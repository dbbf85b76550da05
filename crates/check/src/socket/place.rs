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
    base: Base,
}

/// What the mail server looks the name up from.
#[derive(Debug, Clone)]
enum Base {
    /// The same as this process.
    OfHost,
    /// The working directory of the mail server.
    Directory(PathBuf),
    /// A directory that is a chroot: absolute names begin there, too.
    Chroot(PathBuf),
}

impl Place {
    /// A name that means the same file for the mail server as for this process.
    #[must_use]
    pub fn of_host(name: &Path) -> Self {
        Self { name: name.into(), base: Base::OfHost }
    }

    /// A name that is relative to the working directory of the mail server.
    pub(crate) fn in_directory(directory: PathBuf, name: &Path) -> Self {
        Self { name: name.into(), base: Base::Directory(directory) }
    }

    /// A name in a chroot, which is the working directory of the mail server.
    pub(crate) fn in_chroot(chroot: PathBuf, name: &Path) -> Self {
        Self { name: name.into(), base: Base::Chroot(chroot) }
    }

    /// The directory that is a chroot.
    #[must_use]
    pub fn chroot(&self) -> Option<&Path> {
        match &self.base {
            Base::Chroot(chroot) => Some(chroot),
            Base::OfHost | Base::Directory(_) => None,
        }
    }

    /// The working directory of the mail server. None: it does not matter.
    #[must_use]
    pub fn directory(&self) -> Option<&Path> {
        match &self.base {
            Base::Directory(directory) | Base::Chroot(directory) => Some(directory),
            Base::OfHost => None,
        }
    }

    /// The name by which a process finds the socket from this directory, outside of a chroot or inside.
    #[must_use]
    pub fn name_in_directory(&self) -> &Path {
        match &self.base {
            Base::Chroot(_) => self.name.strip_prefix("/").unwrap_or(&self.name),
            Base::OfHost | Base::Directory(_) => &self.name,
        }
    }

    /// The path outside of a chroot. In a chroot, symbolic links on it may lead to other files.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        let name = self.name_in_directory();
        self.directory().map_or_else(|| name.into(), |directory| directory.join(name))
    }

    /// The way on which the mail server finds the socket.
    pub(super) fn way(&self) -> Way {
        let root = Path::new("/");
        match &self.base {
            Base::Chroot(chroot) => Way::follow(chroot, chroot, &self.name),
            Base::Directory(directory) => Way::follow(root, directory, &self.name),
            Base::OfHost => {
                let name = env::current_dir().map_or_else(|_| self.name.clone(), |folder| folder.join(&self.name));
                Way::follow(root, root, &name)
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
