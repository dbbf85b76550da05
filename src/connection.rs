//! The connection to the collector.

use core::{ffi::c_int, fmt};

use crate::{
    delivery_request::DeliveryRequest,
    errno::Errno,
    error::{Error, ErrorKind},
    memory::{Hooks, Shared},
    socket_name::SocketName,
    system::{MAX_NAME_LEN, Socket},
};

/// A socket for events to one collector.
///
/// Opening it does not connect: the collector may start later, and restart at any time. It takes one descriptor, closed
/// on exec, and one small block of memory. Several threads may use it at once, and a child process after a fork; the
/// socket is closed when the connection and all delivery requests made from it are dropped.
pub struct Connection {
    socket: Shared<Socket>,
}

impl Connection {
    /// The longest name of a socket in bytes: 107 on Linux, 103 on macOS and the BSDs.
    pub const MAX_NAME_LEN: usize = MAX_NAME_LEN;

    /// Opens a socket for the collector that listens at `name`, a path of at most
    /// [`MAX_NAME_LEN`](Self::MAX_NAME_LEN) bytes. A relative path follows the working directory.
    ///
    /// ```
    /// use tlsrpt::Connection;
    ///
    /// # fn main() -> Result<(), tlsrpt::Error> {
    /// let by_text = Connection::open("/run/tlsrpt/tlsrpt.sock")?;
    /// let by_bytes = Connection::open(b"/run/tlsrpt/tlsrpt.sock")?;
    /// let by_c_string = Connection::open(c"/run/tlsrpt/tlsrpt.sock")?;
    /// # #[cfg(feature = "std")]
    /// let by_path = Connection::open(std::path::Path::new("/run/tlsrpt/tlsrpt.sock"))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::SocketNameTooLong`]; [`ErrorKind::Socket`] with the errno of `socket`, or EINVAL for a name that is
    /// empty or holds a NUL; [`ErrorKind::AllocateConnection`].
    pub fn open(name: impl SocketName) -> Result<Self, Error> {
        let name = name.as_bytes();
        if name.is_empty() || name.contains(&0) {
            return Err(Error::system(ErrorKind::Socket, Errno::EINVAL));
        }
        open_socket(name).map(|socket| Self { socket })
    }

    /// Begins an event: mail is delivered to `domain`, which published the TLSRPT record `policy_record`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::AllocateRequest`] or [`ErrorKind::WriteRequest`] if there is no memory.
    pub fn delivery_request(
        &self,
        domain: impl AsRef<[u8]>,
        policy_record: impl AsRef<[u8]>,
    ) -> Result<DeliveryRequest, Error> {
        DeliveryRequest::begin(self.socket.clone(), domain.as_ref(), policy_record.as_ref())
    }

    /// The descriptor of the socket, for instance to raise its send buffer. The connection owns it.
    #[must_use]
    pub fn descriptor(&self) -> c_int {
        self.socket.descriptor()
    }

    /// Closes the connection. Unlike dropping it, this returns the error of the system.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Close`] with the errno of `close`; the socket is closed even then.
    pub fn close(self) -> Result<(), Error> {
        close_socket(self.socket)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.socket.name().escape_ascii();
        out.debug_struct("Connection")
            .field("name", &format_args!("\"{name}\""))
            .field("descriptor", &self.descriptor())
            .finish()
    }
}

pub(crate) fn open_socket(name: &[u8]) -> Result<Shared<Socket>, Error> {
    let socket = Socket::open(name)?;
    Shared::new(Hooks::current(), socket).map_err(|errno| Error::system(ErrorKind::AllocateConnection, errno))
}

/// Drops one owner. The last one closes the socket.
pub(crate) fn close_socket(socket: Shared<Socket>) -> Result<(), Error> {
    socket.into_inner().map_or(Ok(()), Socket::close)
}
