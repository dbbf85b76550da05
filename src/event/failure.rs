//! One entry of a policy's failure-details.

use core::ffi::c_int;

use super::{escape::append_string, number::append_number};
use crate::{errno::Errno, failure_details::FailureDetails, memory::Buffer};

/// Appends a failure of a type with this number.
pub(super) fn append_failure(
    datagram: &mut Buffer,
    failure_type: c_int,
    details: &FailureDetails<'_>,
) -> Result<(), Errno> {
    append_number(datagram, br#"{"c":"#, failure_type)?;
    for (opening, value) in details.fields() {
        if let Some(value) = value {
            append_string(datagram, opening, value)?;
        }
    }
    datagram.append(b"}")
}
