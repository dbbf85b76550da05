//! A delivery request as the contract has it: which call answers which code, and what is sent at the end.

use tlsrpt::ErrorKind;

use crate::datagram::{Failure, Policy, datagram};

/// Why a step is refused.
pub type Refusal = i32;

/// What a delivery request has been told.
#[derive(Debug, Clone)]
pub struct Request {
    /// The connection that it was made from, by number.
    pub connection: usize,
    domain: Vec<u8>,
    record: Vec<u8>,
    policies: Vec<Policy>,
    open: Option<Policy>,
    error: Option<i32>,
}

impl Request {
    pub fn new(connection: usize, domain: Vec<u8>, record: Vec<u8>) -> Self {
        Self { connection, domain, record, policies: Vec::new(), open: None, error: None }
    }

    /// Whether a policy is open.
    pub fn has_open_policy(&self) -> bool {
        self.open.is_some()
    }

    /// The first error so far, or 0.
    pub fn first_error(&self) -> i32 {
        self.error.unwrap_or(0)
    }

    /// Notes what a step was refused with. The first refusal sticks.
    pub fn fail(&mut self, code: i32) {
        self.error.get_or_insert(code);
    }

    pub fn begin_policy(&mut self, policy_type: i32, domain: Option<Vec<u8>>) -> i32 {
        self.step(|request| {
            if request.open.is_some() {
                return Err(ErrorKind::NestedPolicy as i32);
            }
            request.open = Some(Policy { policy_type, domain, ..Policy::default() });
            Ok(())
        })
    }

    pub fn finish_policy(&mut self, result: i32) -> i32 {
        self.step(|request| {
            let policy = request.open.take().ok_or(ErrorKind::NoPolicy as i32)?;
            request.policies.push(Policy { result, ..policy });
            Ok(())
        })
    }

    pub fn add_policy_string(&mut self, text: Option<Vec<u8>>) -> i32 {
        self.add_text(ErrorKind::NoPolicy, text, |policy| &mut policy.strings)
    }

    pub fn add_mx_host_pattern(&mut self, text: Option<Vec<u8>>) -> i32 {
        self.add_text(ErrorKind::NoPolicyForPattern, text, |policy| &mut policy.patterns)
    }

    pub fn add_failure(&mut self, failure: Failure) -> i32 {
        self.step(|request| {
            let policy = request.open.as_mut().ok_or(ErrorKind::NoPolicyForFailure as i32)?;
            policy.failures.push(failure);
            Ok(())
        })
    }

    /// The datagram, or the code that stands for it.
    pub fn finish(self) -> Result<String, Refusal> {
        if let Some(error) = self.error {
            return Err(error);
        }
        if self.open.is_some() {
            return Err(ErrorKind::UnfinishedPolicy as i32);
        }
        if self.policies.is_empty() {
            return Err(ErrorKind::NoPolicies as i32);
        }
        Ok(datagram(&self.domain, &self.record, &self.policies))
    }

    fn add_text(
        &mut self,
        misuse: ErrorKind,
        text: Option<Vec<u8>>,
        list: impl FnOnce(&mut Policy) -> &mut Vec<Vec<u8>>,
    ) -> i32 {
        self.step(|request| {
            let text = text.ok_or(ErrorKind::NullArgument as i32)?;
            let policy = request.open.as_mut().ok_or(misuse as i32)?;
            list(policy).push(text);
            Ok(())
        })
    }

    fn step(&mut self, step: impl FnOnce(&mut Self) -> Result<(), Refusal>) -> i32 {
        if let Some(error) = self.error {
            return error;
        }
        match step(self) {
            Ok(()) => 0,
            Err(code) => {
                self.error = Some(code);
                code
            }
        }
    }
}
