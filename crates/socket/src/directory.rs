//! The open directory of a socket. Every operation on the name of the socket happens in this directory, even if another
//! process renames it or replaces a part of the path.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File, Metadata},
    io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use nix::{
    errno::Errno,
    fcntl::{OFlag, open, openat, renameat},
    libc::mode_t,
    sys::stat::{FchmodatFlags, Mode, fchmodat},
    unistd::{Gid, Group, Uid, UnlinkatFlags, User, unlinkat},
};

use crate::node::Node;

/// The open directory of a socket path.
#[derive(Debug)]
pub(crate) struct Directory {
    file: File,
    path: PathBuf,
}

/// A directory or symbolic link in the path of a socket that users other than root can change.
#[derive(Debug, thiserror::Error)]
#[error("{} can be changed by {who} (owner {owner}, mode {mode:04o}): root makes no socket there; run: {remedy}", .path.display())]
pub struct Changeable {
    path: PathBuf,
    who: String,
    owner: String,
    mode: u32,
    remedy: String,
}

impl Directory {
    /// Opens the directory of `path`. Also returns the last component of `path`.
    pub(crate) fn of(path: &Path) -> io::Result<(Self, OsString)> {
        let Some(name) = path.file_name() else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path does not end in a file name"));
        };
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let file = open(directory, flags, Mode::empty())?.into();
        Ok((Self { file, path: directory.into() }, name.into()))
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The file with this name. A symbolic link is not followed.
    pub(crate) fn node(&self, name: &OsStr) -> io::Result<Option<Node>> {
        match openat(&self.file, name, OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC, Mode::empty()) {
            Ok(file) => Node::new(file.into()).map(Some),
            Err(Errno::ENOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens the file with this name, or makes it with mode 0600. A symbolic link is not followed.
    pub(crate) fn open_private(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlag::O_CREAT | OFlag::O_RDWR | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        Ok(openat(&self.file, name, flags, Mode::S_IRUSR | Mode::S_IWUSR)?.into())
    }

    /// Removes the name if it still leads to `node`. Returns whether it did.
    pub(crate) fn remove(&self, name: &OsStr, node: &Node) -> io::Result<bool> {
        if !self.node(name)?.is_some_and(|found| found == *node) {
            return Ok(false);
        }
        unlinkat(&self.file, name, UnlinkatFlags::NoRemoveDir)?;
        Ok(true)
    }

    /// Sets the nine permission bits of the file with this name. A symbolic link is not followed.
    pub(crate) fn set_mode(&self, name: &OsStr, mode: u32) -> io::Result<()> {
        Ok(fchmodat(&self.file, name, permission_bits(mode), FchmodatFlags::NoFollowSymlink)?)
    }

    /// Renames `from` to `to`. A file at `to` is replaced in one step.
    pub(crate) fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        Ok(renameat(&self.file, from, &self.file, to)?)
    }

    /// Finds a part of the path of this directory that a user other than root can change: that user could then choose
    /// where root creates a socket and which file is at its name.
    ///
    /// Checks each directory and symbolic link of the path, both as written and with its links resolved.
    pub(crate) fn changeable(&self) -> io::Result<Option<Changeable>> {
        for path in [std::path::absolute(&self.path)?, fs::canonicalize(&self.path)?] {
            for part in path.ancestors() {
                if let Some(found) = Changeable::find(part, &fs::symlink_metadata(part)?) {
                    return Ok(Some(found));
                }
            }
        }
        Ok(None)
    }
}

impl Changeable {
    /// Others can change a directory that they own or that they may write to, unless its sticky bit protects the files
    /// of root. The permission bits of a symbolic link have no effect.
    fn find(path: &Path, metadata: &Metadata) -> Option<Self> {
        const GROUP_WRITES: u32 = 0o020;
        const OTHERS_WRITE: u32 = 0o002;
        const STICKY: u32 = 0o1000;
        let mode = metadata.permissions().mode() & 0o7777;
        let protected = metadata.is_symlink() || mode & STICKY != 0;
        let owner = user_name(metadata.uid());
        let shown = path.display();
        let (who, remedy) = if metadata.uid() != 0 {
            let chown = if metadata.is_symlink() { "chown -h" } else { "chown" };
            (format!("user {owner}"), format!("{chown} root {shown}, or start this command as user {owner}"))
        } else if mode & OTHERS_WRITE != 0 && !protected {
            ("every user".into(), format!("chmod o-w {shown}"))
        } else if mode & GROUP_WRITES != 0 && !protected {
            (format!("group {}", group_name(metadata.gid())), format!("chmod g-w {shown}"))
        } else {
            return None;
        };
        Some(Self { path: path.into(), who, owner, mode, remedy })
    }
}

fn user_name(id: u32) -> String {
    match User::from_uid(Uid::from_raw(id)) {
        Ok(Some(user)) => user.name,
        _ => id.to_string(),
    }
}

fn group_name(id: u32) -> String {
    match Group::from_gid(Gid::from_raw(id)) {
        Ok(Some(group)) => group.name,
        _ => id.to_string(),
    }
}

/// The nine permission bits of `mode`. They fit the smallest `mode_t`, which has 16 bits.
pub(crate) fn permission_bits(mode: u32) -> Mode {
    Mode::from_bits_truncate(mode_t::try_from(mode & 0o777).unwrap_or_default())
}
