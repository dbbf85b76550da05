//! Creates a socket with its final mode and a long queue, in a thread with a separate umask, current directory and
//! network namespace, so that the other threads are not affected.

use std::{
    ffi::OsStr,
    io,
    panic::resume_unwind,
    path::{Path, PathBuf},
    thread,
};

use nix::sys::stat::umask;

use crate::{
    directory::{Directory, permission_bits},
    kind::LocalSocket,
    queue_length,
};

/// The socket to create.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Making<'a> {
    /// The nine permission bits.
    pub(crate) mode: u32,
    pub(crate) target: Target<'a>,
}

/// The name to bind.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target<'a> {
    /// The path as the operator wrote it: `/proc/net/unix` and `ss -xl` show it.
    Path(&'a Path),
    /// A name in an open directory. Its path may be longer than the longest name of a socket.
    Beside(&'a Directory, &'a OsStr),
}

impl Making<'_> {
    /// Creates the socket. Also returns the length of its queue, if that is known.
    pub(crate) fn make<S: LocalSocket>(self) -> io::Result<(S, Option<u32>)> {
        let with_long_queue = || {
            let moved = S::QUEUES_DATAGRAMS && queue_length::move_to_long_queue();
            moved.then(|| self.bind().map(|socket| (socket, Some(queue_length::LONG))))
        };
        let as_usual = || {
            let length = if S::QUEUES_DATAGRAMS { queue_length::length_of_new().ok() } else { None };
            self.bind().map(|socket| (socket, length))
        };
        in_own_thread(with_long_queue).unwrap_or_else(|| in_own_thread(as_usual))
    }

    fn bind<S: LocalSocket>(self) -> io::Result<S> {
        let alone = own_file_system_attributes();
        let path = self.target.path(alone)?;
        let before = umask(permission_bits(!self.mode));
        let bound = S::bind(&path);
        // If the thread has no separate umask, this was the umask of the process.
        umask(before);
        bound
    }
}

/// Calls `make` in a new thread, whose settings end with it. A network namespace exists as long as its sockets.
fn in_own_thread<T: Send>(make: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(make).join()).unwrap_or_else(|panic| resume_unwind(panic))
}

impl Target<'_> {
    /// The path to bind. `alone`: the thread has a separate current directory.
    fn path(self, alone: bool) -> io::Result<PathBuf> {
        match self {
            Self::Path(path) => Ok(path.into()),
            Self::Beside(directory, name) if alone => {
                nix::unistd::fchdir(directory.file())?;
                Ok(name.into())
            }
            Self::Beside(directory, name) => Ok(directory.path().join(name)),
        }
    }
}

/// Gives the thread a separate umask and current directory. Returns whether that succeeded.
#[cfg(target_os = "linux")]
fn own_file_system_attributes() -> bool {
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_FS).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn own_file_system_attributes() -> bool {
    false
}
