//! `tlsrpt test-event SOCKET`: sends the test event of `tlsrpt check --send`. That runs it as a separate process, which becomes the
//! user of the mail server and loads the library of the mail server.

mod shared_library;

use std::{
    ffi::CString,
    io,
    path::{Path, PathBuf},
};

use nix::unistd::{User, geteuid, initgroups, setgid, setuid};
use tlsrpt::{Connection, ErrorKind, FinalResult, PolicyType};
use tlsrpt_format::{TEST_DOMAIN, TEST_RECORD};

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
    /// The shared libtlsrpt to send with
    #[arg(long)]
    library: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    if let Some(user) = arguments.user.as_deref().filter(|_| geteuid().is_root()) {
        become_user(user).map_err(cannot(format!("become the user {user}")))?;
    }
    match &arguments.library {
        Some(library) => shared_library::send(library, &arguments.socket).map_err(Failure::Failed),
        None => send(&arguments.socket).map_err(|error| Failure::Failed(explain(&arguments.socket, &error))),
    }
}

/// Gives up the rights of root, as the processes of a mail server do.
fn become_user(name: &str) -> io::Result<()> {
    let user = User::from_name(name)?.ok_or_else(|| io::Error::other("there is no such user"))?;
    initgroups(&CString::new(name)?, user.gid)?;
    setgid(user.gid)?;
    setuid(user.uid)?;
    Ok(())
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
