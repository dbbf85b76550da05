//! The policy that is being written: three lists that grow in any order and stand in a fixed one.
//!
//! Callers add to the lists in the order of the text nearly always, so an item goes straight to the end of the
//! datagram. An item of a list that the text has already left waits in a buffer of its own until the policy is
//! finished; each waiting list is then moved in once. So the cost is linear in what is added, in any order.

use core::ffi::c_int;

use super::{Datagram, FailureDetails, TextList, escape::append_string, number};
use crate::{
    memory::{Buffer, Hooks},
    system::Errno,
};

/// The parts of a policy's text, in their order.
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

    /// What begins the part. The head is there from the start.
    const fn opening(self) -> &'static [u8] {
        match self {
            Self::Head => b"",
            Self::PolicyStrings => br#","policy-string":["#,
            Self::MxHostPatterns => br#","mx-host":["#,
            Self::FailureDetails => br#","failure-details":["#,
        }
    }

    const fn closing(self) -> &'static [u8] {
        match self {
            Self::Head => b"",
            _ => b"]",
        }
    }
}

/// Items of the two lists that failures or the other list may overtake.
pub(super) struct LateLists {
    policy_strings: Buffer<0>,
    mx_host_patterns: Buffer<0>,
}

impl LateLists {
    #[inline]
    pub(super) const fn new(hooks: Hooks) -> Self {
        Self { policy_strings: Buffer::new(hooks), mx_host_patterns: Buffer::new(hooks) }
    }

    fn of(&mut self, list: TextList) -> &mut Buffer<0> {
        match list {
            TextList::PolicyStrings => &mut self.policy_strings,
            TextList::MxHostPatterns => &mut self.mx_host_patterns,
        }
    }
}

/// Where late items of a list belong in the datagram.
#[derive(Clone, Copy)]
struct Place {
    position: usize,
    /// Whether the list stands there already, so that the items join it.
    list_exists: bool,
}

pub(super) struct OpenPolicy {
    /// The part at the end of the datagram.
    part: Part,
    /// Valid once the text has gone past the list.
    policy_strings: Place,
    /// Likewise.
    mx_host_patterns: Place,
    failures: c_int,
}

impl OpenPolicy {
    pub(super) const fn new() -> Self {
        const UNKNOWN: Place = Place { position: 0, list_exists: false };
        Self { part: Part::Head, policy_strings: UNKNOWN, mx_host_patterns: UNKNOWN, failures: 0 }
    }

    pub(super) fn add_text(
        &mut self,
        datagram: &mut Datagram,
        late: &mut LateLists,
        list: TextList,
        text: &[u8],
    ) -> Result<(), Errno> {
        let part = Part::of(list);
        if part < self.part {
            let items = late.of(list);
            items.append(b",")?;
            return append_string(items, text);
        }
        self.begin_item(datagram, part)?;
        append_string(datagram, text)
    }

    pub(super) fn add_failure(
        &mut self,
        datagram: &mut Datagram,
        failure_type: c_int,
        details: &FailureDetails<'_>,
    ) -> Result<(), Errno> {
        self.begin_item(datagram, Part::FailureDetails)?;
        details.append_to(datagram, failure_type)?;
        self.failures = self.failures.saturating_add(1);
        Ok(())
    }

    /// Moves the late items to their places and closes the policy.
    pub(super) fn finish(self, datagram: &mut Datagram, late: &mut LateLists, result: c_int) -> Result<(), Errno> {
        datagram.append(self.part.closing())?;
        // The list that stands further back goes first: the place of the other one stays valid.
        join(datagram, self.mx_host_patterns, Part::MxHostPatterns, &mut late.mx_host_patterns)?;
        join(datagram, self.policy_strings, Part::PolicyStrings, &mut late.policy_strings)?;
        datagram.append(br#","t":"#)?;
        number::append(datagram, self.failures)?;
        datagram.append(br#","f":"#)?;
        number::append(datagram, result)?;
        datagram.append(b"}")
    }

    /// Brings the text to where an item of `part` can follow.
    fn begin_item(&mut self, datagram: &mut Datagram, part: Part) -> Result<(), Errno> {
        if self.part == part {
            return datagram.append(b",");
        }
        let end_of_items = datagram.len();
        datagram.append(self.part.closing())?;
        let end_of_list = datagram.len();
        for (list, place) in
            [(Part::PolicyStrings, &mut self.policy_strings), (Part::MxHostPatterns, &mut self.mx_host_patterns)]
        {
            if list == self.part {
                *place = Place { position: end_of_items, list_exists: true };
            } else if self.part < list && list < part {
                *place = Place { position: end_of_list, list_exists: false };
            }
        }
        datagram.append(part.opening())?;
        self.part = part;
        Ok(())
    }
}

/// Moves waiting items, each behind its comma, to their place.
fn join(datagram: &mut Datagram, place: Place, part: Part, items: &mut Buffer<0>) -> Result<(), Errno> {
    match items.as_slice() {
        [] => return Ok(()),
        joining if place.list_exists => datagram.insert(place.position, joining)?,
        [_comma, first @ ..] => {
            datagram.insert(place.position, part.closing())?;
            datagram.insert(place.position, first)?;
            datagram.insert(place.position, part.opening())?;
        }
    }
    items.clear();
    Ok(())
}
