//! The way to the collector.

use core::ffi::c_int;

use crate::{
    delivery_request::DeliveryRequest,
    errno::Errno,
    error::{Error, ErrorKind},
    memory::{Hooks, Shared},
    system::Socket,
};

/// A socket for events to one collector.
///
/// Opening it does not connect: the collector may start later, and restart at any time. It costs one descriptor, closed
/// on exec, and one small block of memory. It may be used from several threads at once and after a fork; the socket is
/// closed when the connection and all delivery requests made from it are gone.
pub struct Connection {
    socket: Shared<Socket>,
}

impl Connection {
    /// Opens a socket for the collector that listens at `name`, a path of at most 107 bytes (fewer outside Linux). A
    /// relative path follows the working directory.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::SocketNameTooLong`]; [`ErrorKind::Socket`] with the errno of `socket`, or EINVAL for a name with a
    /// NUL in it; [`ErrorKind::AllocateConnection`].
    pub fn open(name: impl AsRef<[u8]>) -> Result<Self, Error> {
        let name = name.as_ref();
        if name.contains(&0) {
            return Err(Error::system(ErrorKind::Socket, Errno::EINVAL));
        }
        open_socket(name).map(|socket| Self { socket })
    }

    /// Begins an event: mail is delivered to `domain`, which published the TLSRPT record `policy_record`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::AllocateRequest`] or [`ErrorKind::WriteRequest`], without memory.
    pub fn delivery_request(
        &self,
        domain: impl AsRef<[u8]>,
        policy_record: impl AsRef<[u8]>,
    ) -> Result<DeliveryRequest, Error> {
        DeliveryRequest::begin(self.socket.clone(), domain.as_ref(), policy_record.as_ref())
    }

    /// The descriptor of the socket, for instance to raise its send buffer. It stays the connection's.
    #[must_use]
    pub fn descriptor(&self) -> c_int {
        self.socket.descriptor()
    }

    /// Closes the connection and says how that went; dropping it does the same in silence.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Close`] with the errno of `close`; the socket is gone all the same.
    pub fn close(self) -> Result<(), Error> {
        close_socket(self.socket)
    }
}

pub(crate) fn open_socket(name: &[u8]) -> Result<Shared<Socket>, Error> {
    let socket = Socket::open(name)?;
    Shared::new(Hooks::current(), socket).map_err(|errno| Error::system(ErrorKind::AllocateConnection, errno))
}

/// Gives up one owner. The last one closes the socket.
pub(crate) fn close_socket(socket: Shared<Socket>) -> Result<(), Error> {
    socket.into_inner().map_or(Ok(()), Socket::close)
}
