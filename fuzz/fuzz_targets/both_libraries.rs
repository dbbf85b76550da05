//! Calls that the C library survives, made to both libraries: see `tlsrpt_model::both_libraries`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tlsrpt_model::both_libraries::run(bytes));
