//! A listening socket: created at a path without changing any other file, or passed by the service manager.
//!
//! # How a path is taken over
//!
//! 1. The directory is opened, and all names are looked up in the open directory. Root refuses a directory that others can
//!    change: they could replace any file there between two steps.
//! 2. A lock that other users cannot take prevents two processes from taking over one path at the same time.
//! 3. The file at the name is examined without following a symbolic link. Only a socket that no process listens on is
//!    replaced.
//! 4. The socket is bound with its final mode. Binding never follows a symbolic link and never replaces a file.
//! 5. The new file is opened by its name, and checked to be a socket of this user with that mode. The owner is set on the
//!    open file, not by name.
//! 6. At the end the name is removed only if it still leads to that file.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, Metadata},
    io,
    os::unix::{
        fs::{FileTypeExt, MetadataExt, PermissionsExt},
        net::UnixDatagram,
    },
    path::{Path, PathBuf},
    process,
};

use nix::unistd::geteuid;

use crate::{
    directory::{Changeable, Directory},
    kind::LocalSocket,
    lock::{LockError, TakeoverLock},
    making::{Making, Target},
    node::Node,
    owner::Owner,
    passed::{self, PassedError},
    probe::{Found, file_kind, probe_socket},
};

/// How a socket is created at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathOptions {
    /// The nine permission bits of the socket. It has them from its creation on, independently of the umask.
    pub mode: u32,
    /// Owner and group. None: those of the process.
    pub owner: Option<Owner>,
    /// Whether the name is removed at the end.
    pub name: NameAtEnd,
}

/// Whether the name of a socket is removed when the socket is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameAtEnd {
    /// It is removed: then a client finds no socket.
    Removed,
    /// It stays, and the next process replaces it in one step: a client always finds a socket.
    Kept,
}

/// A socket that listens until it is dropped.
///
/// `S` is [`UnixDatagram`] or [`std::os::unix::net::UnixListener`].
#[derive(Debug)]
pub struct Listening<S: LocalSocket = UnixDatagram> {
    socket: S,
    queue_length: Option<u32>,
    /// None: the service manager created the socket, and keeps it.
    place: Option<Place>,
}

/// The file of the socket.
#[derive(Debug)]
struct Place {
    directory: Directory,
    name: OsString,
    node: Node,
    at_end: NameAtEnd,
}

/// Why a process cannot listen at a path.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another process listens there.
    #[error("{}: another process listens there; stop it, or choose another path", .0.display())]
    InUse(PathBuf),
    /// Another process takes over the path at this moment.
    #[error("{}: another process is taking over this path now; try again", .0.display())]
    Locked(PathBuf),
    /// The lock file is not a private file of this user.
    #[error("cannot lock {} with {}: {}; remove that file", .0.display(), .1.display(), .2)]
    LockFile(PathBuf, PathBuf, io::Error),
    /// A file of another type is there.
    #[error("{} is {}: refusing to replace it", .0.display(), .1)]
    NotASocket(PathBuf, &'static str),
    /// The test for a listener failed.
    #[error("cannot find out whether a process listens at {}: {}", .0.display(), .1)]
    Unknown(PathBuf, io::Error),
    /// The process runs as root, and other users can change the directory.
    #[error(transparent)]
    Changeable(#[from] Changeable),
    /// The socket cannot be created or bound.
    #[error("cannot listen at {}: {}", .0.display(), .1)]
    Bind(PathBuf, io::Error),
    /// Another file has taken the place of the socket.
    #[error("{}: another process replaced the new socket; see who may write to {}", .0.display(), .1.display())]
    Replaced(PathBuf, PathBuf),
    /// The owner, the group or the mode cannot be set.
    #[error("cannot set owner and mode of {}: {}", .0.display(), .1)]
    Owner(PathBuf, io::Error),
}

impl<S: LocalSocket> Listening<S> {
    /// Listens at `path`. Replaces a socket that no process listens on, and no other file. Does not wait.
    ///
    /// A relative path is bound as it is written, so it may be used if the absolute path is longer than
    /// [`crate::LONGEST_NAME`].
    ///
    /// # Errors
    ///
    /// See [`BindError`]. No other file was changed, and no new file is left.
    pub fn bind(path: &Path, options: &PathOptions) -> Result<Self, BindError> {
        let (directory, name) = Directory::of(path).map_err(bind_error(path))?;
        if geteuid().is_root() {
            if let Some(found) = directory.changeable().map_err(bind_error(path))? {
                return Err(found.into());
            }
        }
        Self::bind_in(directory, name, path, options)
    }

    fn bind_in(directory: Directory, name: OsString, path: &Path, options: &PathOptions) -> Result<Self, BindError> {
        let lock = lock(&directory, &name, path)?;
        let stale = stale_socket(&directory, &name, path)?;
        let made = match stale {
            Some(stale) if options.name == NameAtEnd::Kept => {
                replace_in_one_step(&directory, &name, path, options, &stale)
            }
            Some(stale) => {
                directory.remove(&name, &stale).map_err(bind_error(path))?;
                make(&directory, &name, path, options, Target::Path(path))
            }
            None => make(&directory, &name, path, options, Target::Path(path)),
        };
        drop(lock);
        let (socket, queue_length, node) = made?;
        Ok(Self { socket, queue_length, place: Some(Place { directory, name, node, at_end: options.name }) })
    }

    /// The socket that the service manager passed to this process. None if it passed none, or if an earlier call has
    /// returned it.
    ///
    /// Call it before the process starts threads: it removes `LISTEN_FDS` from the environment.
    ///
    /// # Errors
    ///
    /// Several sockets were passed, or one of another kind.
    pub fn passed() -> Result<Option<Self>, PassedError> {
        Ok(passed::take()?.map(|socket| Self { socket, queue_length: None, place: None }))
    }

    /// The socket itself.
    pub fn socket(&self) -> &S {
        &self.socket
    }

    /// Whether the service manager passed the socket. Such a socket goes on receiving after the end of this process, so
    /// datagrams that wait in it are not lost, and it must not be shut down.
    pub fn is_passed(&self) -> bool {
        self.place.is_none()
    }

    /// How many datagrams the queue of the socket holds, if that is known.
    pub fn queue_length(&self) -> Option<u32> {
        self.queue_length
    }

    /// Whether `path` leads to this socket. Always false for a passed socket.
    pub fn is_at(&self, path: &Path) -> bool {
        let Some(place) = &self.place else { return false };
        fs::metadata(path).is_ok_and(|metadata| place.node.is(&metadata))
    }

    /// Removes the name, so that no new sender finds the socket. Datagrams that have arrived can still be read. Does
    /// nothing with [`NameAtEnd::Kept`], for a passed socket, or if another file is at the name.
    pub fn remove_name(&self) {
        let Some(place) = &self.place else { return };
        if place.at_end == NameAtEnd::Removed {
            // If it cannot be removed, it is a stale socket, which the next process replaces.
            let _ = place.directory.remove(&place.name, &place.node);
        }
    }
}

impl<S: LocalSocket> Drop for Listening<S> {
    fn drop(&mut self) {
        self.remove_name();
    }
}

fn lock<'d>(directory: &'d Directory, name: &OsStr, path: &Path) -> Result<TakeoverLock<'d>, BindError> {
    TakeoverLock::take(directory, name).map_err(|error| match error {
        LockError::Held => BindError::Locked(path.into()),
        LockError::File(_, error) if is_of_directory(&error) => BindError::Bind(path.into(), error),
        LockError::File(file, error) => BindError::LockFile(path.into(), directory.path().join(file), error),
    })
}

/// Whether no file can be created in the directory. Then a message about the lock file would mislead.
fn is_of_directory(error: &io::Error) -> bool {
    use io::ErrorKind::{NotFound, ReadOnlyFilesystem, StorageFull};
    matches!(error.kind(), NotFound | ReadOnlyFilesystem | StorageFull)
}

/// The socket at `name`, if no process listens on it. None if there is no file; an error for any other file.
fn stale_socket(directory: &Directory, name: &OsStr, path: &Path) -> Result<Option<Node>, BindError> {
    let Some(node) = directory.node(name).map_err(bind_error(path))? else { return Ok(None) };
    let file_type = node.metadata().file_type();
    if !file_type.is_socket() {
        return Err(BindError::NotASocket(path.into(), file_kind(file_type)));
    }
    match probe_socket(path) {
        Found::Stale => Ok(Some(node)),
        Found::Listener(_) | Found::OtherKindOfSocket => Err(BindError::InUse(path.into())),
        Found::Unknown(error) => Err(BindError::Unknown(path.into(), error)),
        Found::Nothing | Found::NotASocket(_) => Err(BindError::Replaced(path.into(), directory.path().into())),
    }
}

type Made<S> = (S, Option<u32>, Node);

/// Creates the socket at `target`, whose name in the directory is `name`, and sets its mode and owner.
fn make<S: LocalSocket>(
    directory: &Directory,
    name: &OsStr,
    path: &Path,
    options: &PathOptions,
    target: Target<'_>,
) -> Result<Made<S>, BindError> {
    let (socket, queue_length) = Making { mode: options.mode, target }.make::<S>().map_err(bind_error(path))?;
    let node = directory.node(name).map_err(bind_error(path))?;
    let Some(node) = node.filter(|node| is_new_socket(node.metadata())) else {
        return Err(BindError::Replaced(path.into(), directory.path().into()));
    };
    if let Err(error) = set_mode_and_owner(directory, name, &node, options) {
        // Do not leave a stale socket.
        let _ = directory.remove(name, &node);
        return Err(BindError::Owner(path.into(), error));
    }
    Ok((socket, queue_length, node))
}

/// Whether the file is a socket of this user with one name.
fn is_new_socket(file: &Metadata) -> bool {
    file.file_type().is_socket() && file.uid() == geteuid().as_raw() && file.nlink() == 1
}

fn set_mode_and_owner(directory: &Directory, name: &OsStr, node: &Node, options: &PathOptions) -> io::Result<()> {
    // If the directory has a default ACL, the system uses that instead of the umask.
    if node.metadata().permissions().mode() & 0o7777 != options.mode {
        directory.set_mode(name, options.mode)?;
    }
    options.owner.map_or(Ok(()), |owner| node.give_to(owner))
}

/// Creates the socket under another name in the same directory and renames it over the stale one.
fn replace_in_one_step<S: LocalSocket>(
    directory: &Directory,
    name: &OsStr,
    path: &Path,
    options: &PathOptions,
    stale: &Node,
) -> Result<Made<S>, BindError> {
    let beside = OsString::from(format!(".tlsrpt-{}.new", process::id()));
    let made: Made<S> = make(directory, &beside, path, options, Target::Beside(directory, &beside))?;
    let renamed = match directory.node(name) {
        Ok(Some(found)) if found == *stale => directory.rename(&beside, name).map_err(bind_error(path)),
        Ok(_) => Err(BindError::Replaced(path.into(), directory.path().into())),
        Err(error) => Err(BindError::Bind(path.into(), error)),
    };
    if renamed.is_err() {
        // The name contains the process ID, so no other process uses it.
        let _ = directory.remove(&beside, &made.2);
    }
    renamed.map(|()| made)
}

fn bind_error(path: &Path) -> impl Fn(io::Error) -> BindError + '_ {
    move |error| BindError::Bind(path.into(), error)
}
