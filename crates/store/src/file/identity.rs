//! Identifies a file independently of its name.

use std::{
    fs::{self, Metadata},
    io,
    os::unix::fs::MetadataExt,
    path::Path,
};

use super::format::Format;
use crate::{Error, ErrorKind};

/// The device and the number of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }

    /// The identity of the file that has this name now.
    pub(crate) fn at(path: &Path, format: &Format) -> Result<Self, Error> {
        fs::metadata(path).map(|metadata| Self::of(&metadata)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::new(
                ErrorKind::Missing,
                format!("{}: there is no {}; tlsrpt collect creates it", path.display(), format.name),
            ),
            _ => Error::new(ErrorKind::Unreachable, format!("{}: {error}", path.display())),
        })
    }

    /// Fails if the file was removed or replaced: data that is written to it would be lost.
    pub(crate) fn check(self, path: &Path, format: &Format) -> Result<(), Error> {
        if Self::at(path, format)? == self {
            return Ok(());
        }
        let text = format!("{}: another file has taken the place of the {}", path.display(), format.name);
        Err(Error::new(ErrorKind::Missing, text))
    }
}
