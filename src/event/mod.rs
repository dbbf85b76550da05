//! The datagram of one delivery request, and how it is written. Safe code only, no I/O.
//!
//! ```text
//! {"dpv": "1","d": "DOMAIN","pr": "TLSRPT RECORD","policies":[POLICY,POLICY...]}
//! ```
//!
//! Each call appends to the datagram in its final form. Collectors group events by the text of a policy, and one
//! collector may receive from this library and from the C library: keys, their order and spaces must be the same.

#![forbid(unsafe_code)]

mod escape;
mod failure;
mod number;
mod open_policy;
mod plain;
mod text_list;

use core::ffi::c_int;

use escape::append_string;
use number::append_number;
use open_policy::{LateLists, OpenPolicy};
pub(crate) use text_list::TextList;

use crate::{
    errno::Errno,
    error::{Error, ErrorKind},
    failure_details::FailureDetails,
    memory::{Buffer, Hooks},
};

/// One event: the TLS results of mail to one domain.
#[repr(C)]
pub(crate) struct Event {
    policies: usize,
    open: Option<OpenPolicy>,
    late: LateLists,
    datagram: Buffer,
}

impl Event {
    /// An empty event. Call [`begin`](Self::begin) on it next. These are two functions so that the event is written in
    /// its final place and never moved.
    #[inline]
    pub(crate) const fn new(hooks: Hooks) -> Self {
        Self { policies: 0, open: None, late: LateLists::new(), datagram: Buffer::new(hooks) }
    }

    /// Begins the event with the domain and its TLSRPT record.
    pub(crate) fn begin(&mut self, domain: &[u8], record: &[u8]) -> Result<(), Error> {
        self.write_head(domain, record).map_err(no_memory(ErrorKind::WriteRequest))
    }

    /// Opens a policy of a type with this number.
    pub(crate) fn begin_policy(&mut self, policy_type: c_int, domain: Option<&[u8]>) -> Result<(), Error> {
        if self.open.is_some() {
            return Err(Error::internal(ErrorKind::NestedPolicy));
        }
        self.write_policy_head(policy_type, domain).map_err(no_memory(ErrorKind::WritePolicy))?;
        self.open = Some(OpenPolicy::new(&self.datagram));
        Ok(())
    }

    /// Adds a text to one of the lists of the open policy.
    #[inline]
    pub(crate) fn add_text(&mut self, list: TextList, text: &[u8]) -> Result<(), Error> {
        let (misuse, failed) = match list {
            TextList::PolicyStrings => (ErrorKind::NoPolicy, ErrorKind::WritePolicyString),
            TextList::MxHostPatterns => (ErrorKind::NoPolicyForPattern, ErrorKind::WriteMxHostPattern),
        };
        let Some(policy) = &mut self.open else { return Err(Error::internal(misuse)) };
        policy.add_text(&mut self.datagram, &mut self.late, list, text).map_err(no_memory(failed))
    }

    /// Adds a failure of a type with this number to the open policy.
    pub(crate) fn add_failure(&mut self, failure_type: c_int, details: &FailureDetails<'_>) -> Result<(), Error> {
        let Some(policy) = &mut self.open else { return Err(Error::internal(ErrorKind::NoPolicyForFailure)) };
        let written = policy.add_failure(&mut self.datagram, failure_type, details);
        written.map_err(no_memory(ErrorKind::WriteFailure))
    }

    /// Closes the open policy with the number of its result.
    pub(crate) fn finish_policy(&mut self, result: c_int) -> Result<(), Error> {
        let Some(policy) = self.open.take() else { return Err(Error::internal(ErrorKind::NoPolicy)) };
        let written = policy.finish(&mut self.datagram, &mut self.late, result);
        written.map_err(no_memory(ErrorKind::FinishPolicy))?;
        self.policies += 1;
        Ok(())
    }

    /// Completes the event and returns its datagram.
    pub(crate) fn finish(&mut self) -> Result<&[u8], Error> {
        if self.open.is_some() {
            return Err(Error::internal(ErrorKind::UnfinishedPolicy));
        }
        if self.policies == 0 {
            return Err(Error::internal(ErrorKind::NoPolicies));
        }
        self.datagram.append(b"]}").map_err(no_memory(ErrorKind::FinishRequest))?;
        Ok(self.datagram.as_slice())
    }

    /// The part of the datagram that is written so far.
    pub(crate) fn text(&self) -> &[u8] {
        self.datagram.as_slice()
    }

    fn write_head(&mut self, domain: &[u8], record: &[u8]) -> Result<(), Errno> {
        append_string(&mut self.datagram, br#"{"dpv": "1","d": ""#, domain)?;
        append_string(&mut self.datagram, br#","pr": ""#, record)?;
        self.datagram.append(br#","policies":["#)
    }

    fn write_policy_head(&mut self, policy_type: c_int, domain: Option<&[u8]>) -> Result<(), Errno> {
        if self.policies > 0 {
            self.datagram.append(b",")?;
        }
        append_number(&mut self.datagram, br#"{"policy-type":"#, policy_type)?;
        match domain {
            Some(domain) => append_string(&mut self.datagram, br#","policy-domain": ""#, domain),
            None => Ok(()),
        }
    }
}

/// Maps a failed allocation to the error of the call that needed it.
fn no_memory(kind: ErrorKind) -> impl FnOnce(Errno) -> Error {
    move |errno| Error::system(kind, errno)
}
