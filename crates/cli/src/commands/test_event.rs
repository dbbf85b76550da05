//! `tlsrpt test-event SOCKET`: sends the test event of `tlsrpt check --send`. That runs it as a separate process, which becomes the
//! user of the mail server and loads the library of the mail server.

mod shared_library;

use std::{
    ffi::CString,
    io,
    path::{Path, PathBuf},
};

use nix::unistd::{Uid, User, chdir, chroot, geteuid, initgroups, setgid, setuid};
use tlsrpt::{Connection, ErrorKind, FinalResult, PolicyType};
use tlsrpt_format::{TEST_DOMAIN, TEST_RECORD};

use self::shared_library::Loaded;
use crate::{
    arguments,
    failure::{Failure, cannot},
};

/// Sends the test event of check --send.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[arg(value_parser = arguments::socket_path())]
    socket: PathBuf,
    /// The user to become, with all its groups
    #[arg(long)]
    user: Option<String>,
    /// The directory to enter as the root, as root; the name of the socket is inside of it
    #[arg(long)]
    root: Option<PathBuf>,
    /// The shared libtlsrpt to send with
    #[arg(long)]
    library: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    // As a mail server does: the files of the library and of the users are read outside of the chroot.
    let library = arguments.library.as_deref().map(Loaded::load).transpose().map_err(Failure::Failed)?;
    let user = arguments.user.as_deref().filter(|_| geteuid().is_root());
    let user = user.map(|name| take_groups(name).map_err(cannot(format!("become the user {name}")))).transpose()?;
    if let Some(root) = &arguments.root {
        enter(root).map_err(cannot(format!("enter the chroot {}", root.display())))?;
    }
    if let Some(user) = user {
        setuid(user).map_err(cannot("become the user of the mail server"))?;
    }
    match library {
        Some(library) => library.send(&arguments.socket).map_err(Failure::Failed),
        None => send(&arguments.socket).map_err(|error| Failure::Failed(explain(&arguments.socket, &error))),
    }
}

/// Takes the groups of a user, who is found before a chroot is entered.
fn take_groups(name: &str) -> io::Result<Uid> {
    let user = User::from_name(name)?.ok_or_else(|| io::Error::other("there is no such user"))?;
    initgroups(&CString::new(name)?, user.gid)?;
    setgid(user.gid)?;
    Ok(user.uid)
}

fn enter(root: &Path) -> nix::Result<()> {
    chroot(root)?;
    chdir("/")
}

fn send(socket: &Path) -> Result<(), tlsrpt::Error> {
    let connection = Connection::open(socket)?;
    let mut request = connection.delivery_request(TEST_DOMAIN, TEST_RECORD)?;
    request.policy(PolicyType::NoPolicyFound, Some(TEST_DOMAIN.as_bytes()))?.finish(FinalResult::Success)?;
    request.send()
}

fn explain(socket: &Path, error: &tlsrpt::Error) -> String {
    match (error.kind(), error.errno()) {
        (ErrorKind::Send, Some(errno)) => tlsrpt_socket::explain(socket, &io::Error::from_raw_os_error(errno)),
        _ => error.to_string(),
    }
}
