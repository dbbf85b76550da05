//! One file, identified independently of its name.

use std::{
    fs::{File, Metadata},
    io,
    os::unix::fs::MetadataExt,
};

use nix::{fcntl::AtFlags, unistd::fchownat};

use crate::owner::Owner;

/// A file, opened without access to its content (`O_PATH`). While it is open, no other file gets its inode number.
#[derive(Debug)]
pub(crate) struct Node {
    file: File,
    metadata: Metadata,
}

impl Node {
    pub(crate) fn new(file: File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        Ok(Self { file, metadata })
    }

    /// Type, mode and owner at the time when it was opened.
    pub(crate) fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Sets owner and group of exactly this file.
    pub(crate) fn give_to(&self, Owner { user, group }: Owner) -> io::Result<()> {
        Ok(fchownat(&self.file, "", user, group, AtFlags::AT_EMPTY_PATH)?)
    }

    /// Whether `metadata` is that of this file.
    pub(crate) fn is(&self, metadata: &Metadata) -> bool {
        (self.metadata.dev(), self.metadata.ino()) == (metadata.dev(), metadata.ino())
    }
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.is(&other.metadata)
    }
}
