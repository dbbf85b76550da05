//! One entry of a policy's failure-details.

use core::ffi::c_int;

use super::{Datagram, escape::append_field, number};
use crate::system::Errno;

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
    pub(super) fn append_to(&self, datagram: &mut Datagram, failure_type: c_int) -> Result<(), Errno> {
        datagram.append(br#"{"c":"#)?;
        number::append(datagram, failure_type)?;
        append_field(datagram, br#","s": ""#, self.sending_mta_ip)?;
        append_field(datagram, br#","n": ""#, self.receiving_mx_hostname)?;
        append_field(datagram, br#","h": ""#, self.receiving_mx_helo)?;
        append_field(datagram, br#","r": ""#, self.receiving_ip)?;
        append_field(datagram, br#","a": ""#, self.additional_information)?;
        append_field(datagram, br#","f": ""#, self.failure_reason_code)?;
        datagram.append(b"}")
    }
}
