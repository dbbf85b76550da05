//! Events as a mail server reports them: the calls, as data.

use std::{
    ffi::{CStr, c_int},
    ptr,
};

use crate::library::{Handle, Library};

/// One event with one policy.
pub(crate) struct Event {
    pub(crate) name: &'static str,
    pub(crate) short_name: &'static str,
    domain: &'static CStr,
    record: &'static CStr,
    policy_type: c_int,
    policy_domain: &'static CStr,
    policy_strings: &'static [&'static CStr],
    mx_host_patterns: &'static [&'static CStr],
    failure: Option<Failure>,
    final_result: c_int,
}

struct Failure {
    code: c_int,
    /// In the order of the arguments: addresses and names of both sides, information, reason.
    texts: [&'static CStr; 6],
}

/// The three most frequent kinds of events of Postfix: 311, 529 and 136 bytes.
pub(crate) const EVENTS: [Event; 3] = [
    Event {
        name: "MTA-STS success, 4 policy strings, 1 pattern",
        short_name: "MTA-STS success",
        domain: c"recipient.example.org",
        record: c"v=TLSRPTv1; rua=mailto:tls-reports@recipient.example.org",
        policy_type: 2,
        policy_domain: c"recipient.example.org",
        policy_strings: &[c"version: STSv1", c"mode: enforce", c"mx: mx1.example.org", c"max_age: 604800"],
        mx_host_patterns: &[c"mx1.example.org"],
        failure: None,
        final_result: 0,
    },
    Event {
        name: "DANE failure, 2 TLSA strings, all failure fields",
        short_name: "DANE failure",
        domain: c"example.org",
        record: c"v=TLSRPTv1; rua=mailto:tlsreport@example.org",
        policy_type: 1,
        policy_domain: c"mx1.recipient.example.org",
        policy_strings: &[
            c"3 1 1 5fec1b1d3a3b5c0f5d1f8a9cc5a5be0bd9ef7d21e5cdd7a1a7f0c2c0e57a4e31",
            c"2 1 1 8bb593a93be1d0e8a822bb887c547890c3e706aad2dab76254f97fb36b82fc26",
        ],
        mx_host_patterns: &[],
        failure: Some(Failure {
            code: 205,
            texts: [
                c"2001:db8:25::1",
                c"mx1.recipient.example.org",
                c"mx1.recipient.example.org",
                c"2001:db8:25::2",
                c"no TLSA match",
                c"certificate not verified",
            ],
        }),
        final_result: 1,
    },
    Event {
        name: "no policy, success",
        short_name: "no policy",
        domain: c"test.org",
        record: c"v=TLSRPTv1;rua=mailto:t@b.de",
        policy_type: 9,
        policy_domain: c"test.org",
        policy_strings: &[],
        mx_host_patterns: &[],
        failure: None,
        final_result: 0,
    },
];

impl Event {
    /// Begins the event and describes all of it.
    pub(crate) fn build(&self, library: &Library, connection: Handle) -> Handle {
        let mut request = ptr::null_mut();
        // SAFETY: an open connection, a request that is used here alone, and NUL-terminated strings.
        unsafe {
            (library.init_delivery_request)(&mut request, connection, self.domain.as_ptr(), self.record.as_ptr());
            (library.init_policy)(request, self.policy_type, self.policy_domain.as_ptr());
            for text in self.policy_strings {
                (library.add_policy_string)(request, text.as_ptr());
            }
            for pattern in self.mx_host_patterns {
                (library.add_mx_host_pattern)(request, pattern.as_ptr());
            }
            if let Some(Failure { code, texts: [sip, mx, helo, rip, info, reason] }) = &self.failure {
                (library.add_failure)(
                    request,
                    *code,
                    sip.as_ptr(),
                    mx.as_ptr(),
                    helo.as_ptr(),
                    rip.as_ptr(),
                    info.as_ptr(),
                    reason.as_ptr(),
                );
            }
            (library.finish_policy)(request, self.final_result);
        }
        request
    }
}

/// Cancels a request.
pub(crate) fn cancel(library: &Library, mut request: Handle) {
    // SAFETY: a live request, not used again.
    let code = unsafe { (library.cancel_delivery_request)(&mut request) };
    assert_eq!(code, 0, "tlsrpt_cancel_delivery_request");
}

/// Sends a request; returns the code.
pub(crate) fn finish(library: &Library, mut request: Handle) -> c_int {
    // SAFETY: a live request, not used again.
    unsafe { (library.finish_delivery_request)(&mut request) }
}
