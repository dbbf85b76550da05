//! The socket at which Sendmail asks.

use std::{
    env, fs, io,
    os::{
        fd::{FromRawFd, OwnedFd, RawFd},
        unix::{
            fs::PermissionsExt,
            net::{UnixListener, UnixStream},
        },
    },
    path::{Path, PathBuf},
    process,
};

/// The first descriptor that systemd passes (sd_listen_fds(3)).
const FIRST_PASSED: RawFd = 3;

/// The listening socket that systemd passed to this process, if it did.
///
/// To be called once, before the process opens anything.
///
/// # Errors
///
/// It passed more than one.
pub fn passed() -> io::Result<Option<UnixListener>> {
    let number = |name: &str| env::var(name).ok().and_then(|text| text.parse::<u32>().ok());
    if number("LISTEN_PID") != Some(process::id()) {
        return Ok(None);
    }
    match number("LISTEN_FDS") {
        None | Some(0) => Ok(None),
        // SAFETY: by the contract of LISTEN_PID and LISTEN_FDS the descriptor is open and ours; it is taken once.
        Some(1) => Ok(Some(UnixListener::from(unsafe { OwnedFd::from_raw_fd(FIRST_PASSED) }))),
        Some(several) => Err(io::Error::other(format!("systemd passed {several} sockets, but there is one map"))),
    }
}

/// Listens at a path, with these permissions.
///
/// The socket of a server that is gone is replaced in one step. Sendmail puts mail off where it finds no socket at all, and
/// goes on where nobody listens: so there is one at any time, and it stays when the server ends.
///
/// # Errors
///
/// Something is there that is not a socket, a server listens there, or the system refuses.
pub fn bind(path: &Path, mode: u32) -> io::Result<UnixListener> {
    refuse_in_use(path)?;
    let temporary = beside(path);
    remove(&temporary)?;
    let listener = UnixListener::bind(&temporary)?;
    fs::set_permissions(&temporary, fs::Permissions::from_mode(mode))?;
    fs::rename(&temporary, path)?;
    Ok(listener)
}

fn refuse_in_use(path: &Path) -> io::Result<()> {
    match UnixStream::connect(path) {
        Ok(_) => Err(io::Error::new(io::ErrorKind::AddrInUse, "another server listens there")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused && is_socket(path)? => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("it is not a socket ({error})")))
        }
        Err(error) => Err(error),
    }
}

fn is_socket(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::FileTypeExt;
    Ok(fs::symlink_metadata(path)?.file_type().is_socket())
}

/// The name under which a socket is made ready.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    name.into()
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
