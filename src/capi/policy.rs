//! The policies of a delivery request
//!
//! A request has one or several, one open at a time. While a policy is open, the three tlsrpt_add_* functions may be
//! called in any order and any number of times. All strings are copied. They may have any bytes: each maximal part that
//! is not UTF-8 is sent as U+FFFD. Values are not validated: a policy with failures may finish as a success.
//!
//! Each function returns the first error of the request if it already has one, and then does nothing else. It returns
//! TLSRPT_ERR_TLSRPT_NULLARGUMENT if dr is NULL.

use core::ffi::{c_char, c_int};

use super::{
    pointers::{step, text},
    types::{DeliveryRequestHandle, FailureTypeNumber, FinalResultNumber, PolicyTypeNumber},
};
use crate::{event::TextList, failure_details::FailureDetails};

/// Opens a policy. policydomainname is the policy domain: the MX host for DANE, the recipient domain for MTA-STS and if
/// no policy applies; NULL leaves it out.
///
/// Returns 0; TLSRPT_ERR_TLSRPT_NESTEDPOLICY if one is open; TLSRPT_ERR_FPRINTF_INITPOLICY + errno if there is no
/// memory. The thread that uses the handle.
///
/// # Safety
///
/// `dr` is NULL or a handle from `tlsrpt_init_delivery_request` that is neither finished nor cancelled and that no other
/// thread uses; `policydomainname` is NULL or a NUL-terminated string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tlsrpt_init_policy(
    dr: *mut DeliveryRequestHandle,
    policy_type: PolicyTypeNumber,
    policydomainname: *const c_char,
) -> c_int {
    // SAFETY: `dr` is NULL or a live handle that no other thread uses; `policydomainname` is NULL or a string.
    unsafe { step(dr, |request| request.begin_policy(policy_type, text(policydomainname))) }
}

/// Closes the open policy with the result of the delivery under it and the number of its failures.
///
/// Returns 0; TLSRPT_ERR_TLSRPT_MEMSTREAMPS_NOT_INITIALIZED if no policy is open; TLSRPT_ERR_FPRINTF_FINISHPOLICY +
/// errno if there is no memory. The thread that uses the handle.
///
/// # Safety
///
/// `dr` is NULL or a handle from `tlsrpt_init_delivery_request` that is neither finished nor cancelled and that no other
/// thread uses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tlsrpt_finish_policy(
    dr: *mut DeliveryRequestHandle,
    final_result: FinalResultNumber,
) -> c_int {
    // SAFETY: `dr` is NULL or a live handle that no other thread uses.
    unsafe { step(dr, |request| request.finish_policy(final_result)) }
}

/// Adds a line to the open policy: a line of the MTA-STS policy file, or a TLSA record.
///
/// Returns 0; TLSRPT_ERR_TLSRPT_NULLARGUMENT if policy_string is NULL; TLSRPT_ERR_TLSRPT_MEMSTREAMPS_NOT_INITIALIZED
/// if no policy is open; TLSRPT_ERR_FPRINTF_ADDPOLICYSTRING + errno if there is no memory. The thread that uses the
/// handle.
///
/// # Safety
///
/// `dr` is NULL or a handle from `tlsrpt_init_delivery_request` that is neither finished nor cancelled and that no other
/// thread uses; `policy_string` is NULL or a NUL-terminated string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tlsrpt_add_policy_string(
    dr: *mut DeliveryRequestHandle,
    policy_string: *const c_char,
) -> c_int {
    // SAFETY: `dr` is NULL or a live handle that no other thread uses; `policy_string` is NULL or a string.
    unsafe { step(dr, |request| request.add_text(TextList::PolicyStrings, text(policy_string))) }
}

/// Adds an MX host pattern to the open MTA-STS policy, for instance "*.mail.example.org".
///
/// Returns 0; TLSRPT_ERR_TLSRPT_NULLARGUMENT if mx_host_pattern is NULL; TLSRPT_ERR_TLSRPT_MEMSTREAMMX_NOT_INITIALIZED
/// if no policy is open; TLSRPT_ERR_FPRINTF_ADDMXHOSTPATTERN + errno if there is no memory. The thread that uses the
/// handle.
///
/// # Safety
///
/// `dr` is NULL or a handle from `tlsrpt_init_delivery_request` that is neither finished nor cancelled and that no other
/// thread uses; `mx_host_pattern` is NULL or a NUL-terminated string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tlsrpt_add_mx_host_pattern(
    dr: *mut DeliveryRequestHandle,
    mx_host_pattern: *const c_char,
) -> c_int {
    // SAFETY: `dr` is NULL or a live handle that no other thread uses; `mx_host_pattern` is NULL or a string.
    unsafe { step(dr, |request| request.add_text(TextList::MxHostPatterns, text(mx_host_pattern))) }
}

/// Adds a failure to the open policy: its type and its details (RFC 8460 section 4.3). A string that is NULL is left
/// out. The strings are the address that the mail was sent from; the name, the EHLO name and the address of the MX host; a
/// URI with more information; the text of the error.
///
/// Returns 0; TLSRPT_ERR_TLSRPT_MEMSTREAMFD_NOT_INITIALIZED if no policy is open; TLSRPT_ERR_FPRINTF_ADDFAILURE + errno
/// if there is no memory. The thread that uses the handle.
///
/// # Safety
///
/// `dr` is NULL or a handle from `tlsrpt_init_delivery_request` that is neither finished nor cancelled and that no other
/// thread uses; the others are NULL or NUL-terminated strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tlsrpt_add_delivery_request_failure(
    dr: *mut DeliveryRequestHandle,
    failure_code: FailureTypeNumber,
    sending_mta_ip: *const c_char,
    receiving_mx_hostname: *const c_char,
    receiving_mx_helo: *const c_char,
    receiving_ip: *const c_char,
    additional_information: *const c_char,
    failure_reason_code: *const c_char,
) -> c_int {
    // SAFETY: `dr` is NULL or a live handle that no other thread uses; the others are NULL or strings.
    unsafe {
        let details = FailureDetails {
            sending_mta_ip: text(sending_mta_ip),
            receiving_mx_hostname: text(receiving_mx_hostname),
            receiving_mx_helo: text(receiving_mx_helo),
            receiving_ip: text(receiving_ip),
            additional_information: text(additional_information),
            failure_reason_code: text(failure_reason_code),
        };
        step(dr, |request| request.add_failure(failure_code, &details))
    }
}
