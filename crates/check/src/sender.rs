//! How a mail server sends an event.

use std::path::PathBuf;

use crate::socket::Place;

/// How a mail server sends an event.
#[derive(Debug, Clone)]
pub struct Sender {
    /// The socket.
    pub place: Place,
    /// The user. None if it is not known.
    pub user: Option<String>,
    /// The shared libtlsrpt. None if the mail server has the library linked in.
    pub library: Option<PathBuf>,
}
