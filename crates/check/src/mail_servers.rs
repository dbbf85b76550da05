//! The mail servers that this host may have.

use std::path::Path;

use crate::{collector::Collector, remedy::Remedy};

/// A program or a file of a mail server, and the option of `tlsrpt check` for it.
const KNOWN: [(&str, &str); 4] = [
    ("/usr/sbin/postconf", "--postfix"),
    ("/usr/sbin/exim4", "--exim"),
    ("/usr/sbin/exim", "--exim"),
    ("/etc/mail/sendmail.cf", "--sendmail"),
];
/// A group that each host has.
const GROUP: &str = "mail";

/// What lets a mail server write to a socket, where it is not known which one it is.
pub(crate) fn give_socket(path: &Path, collector: &Collector) -> Remedy {
    match KNOWN.into_iter().find(|(file, _)| Path::new(file).exists()) {
        Some((_, option)) => Remedy::after(
            "nothing, if the socket has the group of the mail server; check it as the mail server uses it",
            format!("tlsrpt check {option}"),
        ),
        None => Remedy::after(
            format!("nothing, if the socket has the group of the mail server; if that group is {GROUP}"),
            collector.give_to(path, GROUP),
        ),
    }
}
