//! A delivery request as both languages use it: an event, where it goes, and the first thing that went wrong.

use crate::{
    error::{Error, ErrorKind},
    event::Event,
    memory::{Hooks, Owned, Shared},
    system::Socket,
};

/// An event under way. Its first error sticks: every later step answers with it and does nothing.
#[repr(C)]
pub(crate) struct Request {
    socket: Shared<Socket>,
    error: Option<Error>,
    event: Event,
}

/// What [`Buffer`](crate::memory::Buffer) counts on. A field more here is a few inline bytes fewer there.
const _: () = assert!(cfg!(not(target_pointer_width = "64")) || Owned::<Request>::BLOCK_SIZE == 1032);

impl Request {
    pub(crate) fn begin(socket: Shared<Socket>, domain: &[u8], record: &[u8]) -> Result<Owned<Self>, Error> {
        let hooks = Hooks::current();
        let request = Self { socket, error: None, event: Event::new(hooks) };
        let mut request =
            Owned::new(hooks, request).map_err(|errno| Error::system(ErrorKind::AllocateRequest, errno))?;
        request.event.begin(domain, record)?;
        Ok(request)
    }

    /// Takes one step in writing the event, unless an earlier one failed.
    #[inline]
    pub(crate) fn step(&mut self, step: impl FnOnce(&mut Event) -> Result<(), Error>) -> Result<(), Error> {
        if let Some(first) = self.error {
            return Err(first);
        }
        step(&mut self.event).inspect_err(|error| self.error = Some(*error))
    }

    /// Sends the event if every step went well.
    pub(crate) fn finish(mut request: Owned<Self>) -> Result<(), Error> {
        let Self { socket, error, event } = &mut *request;
        match error {
            Some(first) => Err(*first),
            None => socket.send(event.finish()?),
        }
    }

    /// The first error so far.
    pub(crate) const fn outcome(&self) -> Result<(), Error> {
        match self.error {
            Some(first) => Err(first),
            None => Ok(()),
        }
    }
}
