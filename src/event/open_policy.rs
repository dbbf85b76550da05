//! The open policy: three lists. The caller adds to them in any order; in the datagram their order is fixed.
//!
//! Callers nearly always add in the order of the datagram, and then the item is appended. An item of a list that is
//! already closed in the datagram is kept in a separate buffer, and each such buffer is inserted once when the policy
//! is finished. So the cost is linear in the size of the items, in any order.

use core::{ffi::c_int, ops::Range};

use super::{escape::append_string, failure::append_failure, number::append_number, text_list::TextList};
use crate::{
    errno::Errno,
    failure_details::FailureDetails,
    memory::{Buffer, Hooks, Owned},
};

/// The end of each list.
const LIST_END: &[u8] = b"]";

/// The parts of a policy in the datagram, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Head,
    PolicyStrings,
    MxHostPatterns,
    FailureDetails,
}

impl Part {
    const fn of(list: TextList) -> Self {
        match list {
            TextList::PolicyStrings => Self::PolicyStrings,
            TextList::MxHostPatterns => Self::MxHostPatterns,
        }
    }

    /// The start of the list. The head is written when the policy is opened.
    const fn opening(self) -> &'static [u8] {
        match self {
            Self::Head => b"",
            Self::PolicyStrings => br#","policy-string":["#,
            Self::MxHostPatterns => br#","mx-host":["#,
            Self::FailureDetails => br#","failure-details":["#,
        }
    }
}

/// Items that were added after their list was closed in the datagram, each with a comma before it.
pub(super) struct LateLists {
    policy_strings: Option<Owned<Buffer>>,
    mx_host_patterns: Option<Owned<Buffer>>,
}

impl LateLists {
    #[inline]
    pub(super) const fn new() -> Self {
        Self { policy_strings: None, mx_host_patterns: None }
    }

    #[cold]
    fn add(&mut self, hooks: Hooks, list: TextList, text: &[u8]) -> Result<(), Errno> {
        let items = match list {
            TextList::PolicyStrings => &mut self.policy_strings,
            TextList::MxHostPatterns => &mut self.mx_host_patterns,
        };
        if items.is_none() {
            *items = Some(Owned::new(hooks, Buffer::new(hooks))?);
        }
        items.as_mut().map_or(Ok(()), |items| append_string(items, b",\"", text))
    }
}

pub(super) struct OpenPolicy {
    /// The part that the datagram ends with.
    part: Part,
    /// The position of the policy strings, also if there are none.
    policy_strings: usize,
    /// The position of the MX host patterns, also if there are none. Valid when `part` is after the policy strings.
    mx_host_patterns: usize,
    /// The position of the failure details. Valid when `part` is after the patterns.
    failure_details: usize,
    failures: c_int,
}

impl OpenPolicy {
    /// A policy whose head was just written.
    pub(super) const fn new(datagram: &Buffer) -> Self {
        let end = datagram.len();
        Self { part: Part::Head, policy_strings: end, mx_host_patterns: end, failure_details: end, failures: 0 }
    }

    #[inline]
    pub(super) fn add_text(
        &mut self,
        datagram: &mut Buffer,
        late: &mut LateLists,
        list: TextList,
        text: &[u8],
    ) -> Result<(), Errno> {
        let part = Part::of(list);
        if part < self.part {
            return late.add(datagram.hooks(), list, text);
        }
        if part == self.part {
            return append_string(datagram, b",\"", text);
        }
        self.begin_list(datagram, part)?;
        append_string(datagram, b"\"", text)
    }

    pub(super) fn add_failure(
        &mut self,
        datagram: &mut Buffer,
        failure_type: c_int,
        details: &FailureDetails<'_>,
    ) -> Result<(), Errno> {
        if self.part == Part::FailureDetails {
            datagram.append(b",")?;
        } else {
            self.begin_list(datagram, Part::FailureDetails)?;
        }
        append_failure(datagram, failure_type, details)?;
        self.failures = self.failures.saturating_add(1);
        Ok(())
    }

    /// Inserts the late items and closes the policy.
    pub(super) fn finish(self, datagram: &mut Buffer, late: &mut LateLists, result: c_int) -> Result<(), Errno> {
        self.end_part(datagram)?;
        // The later list first, so that the position of the other one stays valid.
        if let Some(items) = late.mx_host_patterns.take() {
            join(datagram, self.mx_host_patterns..self.failure_details, Part::MxHostPatterns, items.as_slice())?;
        }
        if let Some(items) = late.policy_strings.take() {
            join(datagram, self.policy_strings..self.mx_host_patterns, Part::PolicyStrings, items.as_slice())?;
        }
        append_number(datagram, br#","t":"#, self.failures)?;
        append_number(datagram, br#","f":"#, result)?;
        datagram.append(b"}")
    }

    /// Closes the current list and begins the list of a later part.
    fn begin_list(&mut self, datagram: &mut Buffer, part: Part) -> Result<(), Errno> {
        self.end_part(datagram)?;
        if part > Part::PolicyStrings && self.part <= Part::PolicyStrings {
            self.mx_host_patterns = datagram.len();
        }
        if part > Part::MxHostPatterns {
            self.failure_details = datagram.len();
        }
        self.part = part;
        datagram.append(part.opening())
    }

    #[inline]
    fn end_part(&self, datagram: &mut Buffer) -> Result<(), Errno> {
        if self.part == Part::Head { Ok(()) } else { datagram.append(LIST_END) }
    }
}

/// Inserts late items at the end of the list in the range `place`, which is empty if there is no such list.
#[cold]
fn join(datagram: &mut Buffer, place: Range<usize>, part: Part, items: &[u8]) -> Result<(), Errno> {
    match items {
        [_comma, first @ ..] if place.is_empty() => {
            datagram.insert(place.start, LIST_END)?;
            datagram.insert(place.start, first)?;
            datagram.insert(place.start, part.opening())
        }
        joining => datagram.insert(place.end.saturating_sub(LIST_END.len()), joining),
    }
}
