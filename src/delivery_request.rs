//! One event, from its first step until it is sent.

use core::fmt;

use crate::{
    error::Error,
    memory::{Owned, Shared},
    policy::Policy,
    request::Request,
    system::Socket,
    vocabulary::PolicyType,
};

/// What happened with TLS when mail was delivered to one domain: one or several policies with their results.
///
/// Only [`send`](Self::send) sends it; dropping it discards it. The first error sticks: `send` returns it, so the results
/// of the calls before may be ignored.
#[must_use = "an event that is not sent is lost"]
pub struct DeliveryRequest {
    request: Owned<Request>,
}

impl DeliveryRequest {
    pub(crate) fn begin(socket: Shared<Socket>, domain: &[u8], record: &[u8]) -> Result<Self, Error> {
        Request::begin(socket, domain, record).map(|request| Self { request })
    }

    /// Opens a policy. `domain` is the policy domain: the recipient domain for MTA-STS and without a policy, the MX
    /// host for DANE.
    ///
    /// # Errors
    ///
    /// The first error of the request, or [`ErrorKind::WritePolicy`](crate::ErrorKind::WritePolicy) without memory.
    pub fn policy(&mut self, policy_type: PolicyType, domain: Option<&[u8]>) -> Result<Policy<'_>, Error> {
        self.request.begin_policy(policy_type.number(), domain)?;
        Ok(Policy::of(&mut self.request))
    }

    /// Discards the event and returns the error that dropping it would ignore.
    ///
    /// # Errors
    ///
    /// The first error of the request.
    pub fn cancel(self) -> Result<(), Error> {
        Request::cancel(self.request)
    }

    /// Sends the event to the collector.
    ///
    /// # Errors
    ///
    /// The first error of the request; [`ErrorKind::NoPolicies`](crate::ErrorKind::NoPolicies);
    /// [`ErrorKind::Send`](crate::ErrorKind::Send) with an errno: ENOENT where no socket is, ECONNREFUSED where nobody
    /// listens, EAGAIN when the queue is full, EACCES without permission, EMSGSIZE beyond what the system sends.
    pub fn send(self) -> Result<(), Error> {
        Request::finish(self.request)
    }
}

impl fmt::Debug for DeliveryRequest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.request.fmt(out)
    }
}
