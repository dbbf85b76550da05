//! The policy that is open in a delivery request.

use crate::{
    error::Error,
    event::TextList,
    failure_details::FailureDetails,
    request::Request,
    vocabulary::{FailureType, FinalResult},
};

/// A policy to which its strings, patterns and failures are added, in any order, until it is finished.
///
/// It must be [finished](Self::finish): one that is dropped open fails its delivery request with
/// [`ErrorKind::UnfinishedPolicy`](crate::ErrorKind::UnfinishedPolicy), so half a policy is never reported.
///
/// It borrows its request, so the request cannot be sent while the policy is open. This compiles:
///
/// ```
/// # use tlsrpt::{DeliveryRequest, Error, FinalResult, PolicyType};
/// fn report_success(mut request: DeliveryRequest) -> Result<(), Error> {
///     let policy = request.policy(PolicyType::Sts, Some(b"example.org"))?;
///     policy.finish(FinalResult::Success)?;
///     request.send()
/// }
/// ```
///
/// This does not compile:
///
/// ```compile_fail
/// # use tlsrpt::{DeliveryRequest, Error, FinalResult, PolicyType};
/// fn report_success(mut request: DeliveryRequest) -> Result<(), Error> {
///     let policy = request.policy(PolicyType::Sts, Some(b"example.org"))?;
///     request.send()?;
///     policy.finish(FinalResult::Success)
/// }
/// ```
#[derive(Debug)]
#[must_use = "a policy that is not finished fails its delivery request"]
pub struct Policy<'a> {
    request: &'a mut Request,
    finished: bool,
}

impl<'a> Policy<'a> {
    pub(crate) fn of(request: &'a mut Request) -> Self {
        Self { request, finished: false }
    }

    /// Adds a line to the policy: a line of the MTA-STS policy file, or a TLSA record.
    ///
    /// # Errors
    ///
    /// The first error of the request, or [`ErrorKind::WritePolicyString`](crate::ErrorKind::WritePolicyString) if
    /// there is no memory.
    pub fn add_policy_string(&mut self, text: impl AsRef<[u8]>) -> Result<(), Error> {
        self.request.add_text(TextList::PolicyStrings, Some(text.as_ref()))
    }

    /// Adds an MX host pattern to the MTA-STS policy, for instance `*.mail.example.org`.
    ///
    /// # Errors
    ///
    /// The first error of the request, or [`ErrorKind::WriteMxHostPattern`](crate::ErrorKind::WriteMxHostPattern) if
    /// there is no memory.
    pub fn add_mx_host_pattern(&mut self, pattern: impl AsRef<[u8]>) -> Result<(), Error> {
        self.request.add_text(TextList::MxHostPatterns, Some(pattern.as_ref()))
    }

    /// Adds a failure.
    ///
    /// # Errors
    ///
    /// The first error of the request, or [`ErrorKind::WriteFailure`](crate::ErrorKind::WriteFailure) if there is no
    /// memory.
    pub fn add_failure(&mut self, failure_type: FailureType, details: &FailureDetails<'_>) -> Result<(), Error> {
        self.request.add_failure(failure_type.number(), details)
    }

    /// Closes the policy with the result of the delivery under it.
    ///
    /// # Errors
    ///
    /// The first error of the request, or [`ErrorKind::FinishPolicy`](crate::ErrorKind::FinishPolicy) if there is no
    /// memory.
    pub fn finish(mut self, result: FinalResult) -> Result<(), Error> {
        self.finished = true;
        self.request.finish_policy(result.number())
    }
}

impl Drop for Policy<'_> {
    fn drop(&mut self) {
        if !self.finished {
            // `send` returns this error.
            let _ = self.request.abandon_policy();
        }
    }
}
