//! One event, from its beginning to its being sent.

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
/// It is sent by [`send`](Self::send) and by nothing else: dropping it cancels it. The first error sticks, so calls may
/// go unchecked as long as the answer of `send` is looked at.
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
        self.request.step(|event| event.begin_policy(policy_type.number(), domain))?;
        Ok(Policy::of(&mut self.request))
    }

    /// Gives the event up and says whether anything had gone wrong; dropping it does the same in silence.
    ///
    /// # Errors
    ///
    /// The first error of the request.
    pub fn cancel(self) -> Result<(), Error> {
        self.request.outcome()
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
