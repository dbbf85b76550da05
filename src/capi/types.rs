//! The types of the header in Rust.

use core::ffi::c_int;

/// `struct tlsrpt_connection_t`. A pointer to it is an owner of the socket.
#[derive(Debug)]
pub struct ConnectionHandle(());

/// `struct tlsrpt_dr_t`. A pointer to it is the owner of a request.
#[derive(Debug)]
pub struct DeliveryRequestHandle(());

/// `tlsrpt_policy_type_t`. Callers may pass any int, so this must not be a Rust enum; the same holds for the next two.
pub type PolicyTypeNumber = c_int;
/// `tlsrpt_final_result_t`.
pub type FinalResultNumber = c_int;
/// `tlsrpt_failure_t`.
pub type FailureTypeNumber = c_int;
