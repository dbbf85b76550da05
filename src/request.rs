//! A delivery request and its operations. Each C function and each Rust method for a delivery request calls one of
//! these.

use core::{ffi::c_int, fmt};

use crate::{
    error::{Error, ErrorKind},
    event::{Event, TextList},
    failure_details::FailureDetails,
    memory::{Hooks, Owned, Shared},
    system::Socket,
};

/// An event, the socket that it is sent through, and its first error. The error sticks: every later step returns it and
/// does nothing else.
#[repr(C)]
pub(crate) struct Request {
    socket: Shared<Socket>,
    error: Option<Error>,
    event: Event,
}

/// The inline size of [`Buffer`](crate::memory::Buffer) is chosen for this block size. To add a field here, reduce it.
const _: () = assert!(cfg!(not(target_pointer_width = "64")) || Owned::<Request>::BLOCK_SIZE == 1032);

impl Request {
    /// Begins an event about mail to `domain`, whose TLSRPT record is `record`.
    pub(crate) fn begin(socket: Shared<Socket>, domain: &[u8], record: &[u8]) -> Result<Owned<Self>, Error> {
        let hooks = Hooks::current();
        let request = Self { socket, error: None, event: Event::new(hooks) };
        let mut request =
            Owned::new(hooks, request).map_err(|errno| Error::system(ErrorKind::AllocateRequest, errno))?;
        request.event.begin(domain, record)?;
        Ok(request)
    }

    /// Opens a policy of a type with this number.
    #[inline]
    pub(crate) fn begin_policy(&mut self, policy_type: c_int, domain: Option<&[u8]>) -> Result<(), Error> {
        self.step(|event| event.begin_policy(policy_type, domain))
    }

    /// Adds a text to a list of the open policy. `None` stands for NULL from C, which is an error that sticks.
    #[inline]
    pub(crate) fn add_text(&mut self, list: TextList, text: Option<&[u8]>) -> Result<(), Error> {
        self.step(|event| event.add_text(list, text.ok_or(Error::NULL_ARGUMENT)?))
    }

    /// Adds a failure of a type with this number to the open policy.
    #[inline]
    pub(crate) fn add_failure(&mut self, failure_type: c_int, details: &FailureDetails<'_>) -> Result<(), Error> {
        self.step(|event| event.add_failure(failure_type, details))
    }

    /// Closes the open policy with the number of its result.
    #[inline]
    pub(crate) fn finish_policy(&mut self, result: c_int) -> Result<(), Error> {
        self.step(|event| event.finish_policy(result))
    }

    /// Fails the request because its open policy was dropped.
    pub(crate) fn abandon_policy(&mut self) -> Result<(), Error> {
        self.step(|_| Err(Error::internal(ErrorKind::UnfinishedPolicy)))
    }

    /// Sends the event if every step succeeded, and frees the request.
    pub(crate) fn finish(mut request: Owned<Self>) -> Result<(), Error> {
        let Self { socket, error, event } = &mut *request;
        match error {
            Some(first) => Err(*first),
            None => socket.send(event.finish()?),
        }
    }

    /// Frees the request. Returns its first error.
    #[expect(clippy::needless_pass_by_value, reason = "the request ends here")]
    pub(crate) fn cancel(request: Owned<Self>) -> Result<(), Error> {
        request.error.map_or(Ok(()), Err)
    }

    /// Takes one step in writing the event, unless an earlier one failed.
    #[inline]
    fn step(&mut self, step: impl FnOnce(&mut Event) -> Result<(), Error>) -> Result<(), Error> {
        if let Some(first) = self.error {
            return Err(first);
        }
        step(&mut self.event).inspect_err(|error| self.error = Some(*error))
    }
}

/// The part of the datagram that is written so far, and the first error.
impl fmt::Debug for Request {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.event.text().escape_ascii();
        out.debug_struct("DeliveryRequest")
            .field("text", &format_args!("\"{text}\""))
            .field("error", &self.error)
            .finish()
    }
}
