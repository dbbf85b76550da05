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

/// The TLS results of mail to one domain: one or several policies with their results.
///
/// Only [`send`](Self::send) sends it; dropping it discards it. The first error sticks and `send` returns it, so a
/// caller may ignore the results of the earlier calls.
#[must_use = "an event that is not sent is lost"]
pub struct DeliveryRequest {
    request: Owned<Request>,
}

impl DeliveryRequest {
    pub(crate) fn begin(socket: Shared<Socket>, domain: &[u8], record: &[u8]) -> Result<Self, Error> {
        Request::begin(socket, domain, record).map(|request| Self { request })
    }

    /// Opens a policy. `domain` is the policy domain: the MX host for DANE, the recipient domain for MTA-STS and if no
    /// policy applies.
    ///
    /// # Errors
    ///
    /// The first error of the request, or [`ErrorKind::WritePolicy`](crate::ErrorKind::WritePolicy) if there is no
    /// memory.
    pub fn policy(&mut self, policy_type: PolicyType, domain: Option<&[u8]>) -> Result<Policy<'_>, Error> {
        self.request.begin_policy(policy_type.number(), domain)?;
        Ok(Policy::of(&mut self.request))
    }

    /// Discards the event. Unlike dropping it, this returns the first error.
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
    /// [`ErrorKind::Send`](crate::ErrorKind::Send) with an errno, for instance ENOENT if there is no socket,
    /// ECONNREFUSED if no process listens on it, EAGAIN if the collector's queue is full, EACCES without permission,
    /// EMSGSIZE if the datagram is longer than the system allows.
    pub fn send(self) -> Result<(), Error> {
        Request::finish(self.request)
    }
}

impl fmt::Debug for DeliveryRequest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.request.fmt(out)
    }
}
