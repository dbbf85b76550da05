//! Reports of others: what senders write, and the files, mails and archives in which reports come.

mod containers;
mod hostile;
mod making;
mod senders;
