//! Tests of the command `tlsrpt`, run as a process.

mod bad_use;
mod checking;
mod completions;
mod configuring;
mod error_numbers;
mod examples;
mod forwarding;
mod hostile;
mod listening;
mod looking;
mod looking_up_records;
mod manual_page;
mod peers;
mod reading_records;
mod reporting;
mod sending;
mod serving_sendmail;
mod support;
mod terminal;
