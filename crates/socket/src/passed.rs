//! The socket that the service manager passes to this process (`sd_listen_fds(3)`).

use std::{io, sync::Mutex};

use listenfd::ListenFd;

use crate::kind::LocalSocket;

/// Why the passed socket cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PassedError {
    /// More than one socket was passed.
    #[error("the service manager passed {0} sockets: pass one")]
    Several(usize),
    /// The descriptor is not a socket of the expected kind.
    #[error("the service manager passed a descriptor of another kind: {0}")]
    Kind(io::Error),
}

/// The passed socket, if there is one. Returns it once: a second call returns None.
pub(crate) fn take<S: LocalSocket>() -> Result<Option<S>, PassedError> {
    /// Descriptors that were passed and not yet taken. The environment is read once.
    static PASSED: Mutex<Option<ListenFd>> = Mutex::new(None);
    let mut passed = PASSED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let passed = passed.get_or_insert_with(ListenFd::from_env);
    match passed.len() {
        0 => Ok(None),
        1 => S::take_passed(passed, 0).map_err(PassedError::Kind),
        several => Err(PassedError::Several(several)),
    }
}
