//! Any bytes as a file, an archive, a mail or a mailbox with reports of others.
#![no_main]

#[path = "../../crates/received/tests/reading/any_bytes.rs"]
mod any_bytes;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| any_bytes::run(bytes));
