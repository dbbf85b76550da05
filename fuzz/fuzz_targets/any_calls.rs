//! Any calls with any arguments, held against the model: see `tlsrpt_model::any_calls`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tlsrpt_model::any_calls::run(bytes));
