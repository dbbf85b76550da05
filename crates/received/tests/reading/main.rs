//! Reports of others: what senders write, and the files, mails and archives in which reports come.

mod containers;
mod dkim;
mod hostile;
mod making;
mod own;
mod senders;
