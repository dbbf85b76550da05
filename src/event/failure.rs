//! One entry of a policy's failure-details.

use core::ffi::c_int;

use super::{escape::append_string, number::append_number};
use crate::{errno::Errno, memory::Buffer};

/// What is known of a failure besides its type (RFC 8460 section 4.3). Whatever is `None` is left out of the report.
///
/// The values are bytes, as they came over the wire: what is not UTF-8 is replaced by U+FFFD when it is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FailureDetails<'a> {
    /// The address that the mail was sent from ("sending-mta-ip").
    pub sending_mta_ip: Option<&'a [u8]>,
    /// The name of the MX host that was tried ("receiving-mx-hostname").
    pub receiving_mx_hostname: Option<&'a [u8]>,
    /// What the MX host said of itself in its EHLO or HELO reply ("receiving-mx-helo").
    pub receiving_mx_helo: Option<&'a [u8]>,
    /// The address of the MX host ("receiving-ip").
    pub receiving_ip: Option<&'a [u8]>,
    /// Where more is to be found about the failure ("additional-information").
    pub additional_information: Option<&'a [u8]>,
    /// The text of the error, for instance that of the TLS library ("failure-reason-code").
    pub failure_reason_code: Option<&'a [u8]>,
}

impl FailureDetails<'_> {
    /// The values by the keys of the datagram, in their order.
    const fn fields(&self) -> [(&'static [u8; 7], Option<&[u8]>); 6] {
        [
            (br#","s": ""#, self.sending_mta_ip),
            (br#","n": ""#, self.receiving_mx_hostname),
            (br#","h": ""#, self.receiving_mx_helo),
            (br#","r": ""#, self.receiving_ip),
            (br#","a": ""#, self.additional_information),
            (br#","f": ""#, self.failure_reason_code),
        ]
    }

    pub(super) fn append_to(&self, datagram: &mut Buffer, failure_type: c_int) -> Result<(), Errno> {
        append_number(datagram, br#"{"c":"#, failure_type)?;
        for (opening, value) in self.fields() {
            if let Some(value) = value {
                append_string(datagram, opening, value)?;
            }
        }
        datagram.append(b"}")
    }
}
