//! Reports of others: what senders write, and the files, mails and archives in which reports come.

mod any_bytes;
mod containers;
mod dkim;
mod fuzzed;
mod hostile;
mod making;
mod own;
mod senders;
mod signed;
