//! A line of master.cf.

use std::collections::HashMap;

/// The command of the SMTP client.
pub(super) const CLIENT: &str = "smtp";
/// The command and the service that makes TLS connections for the SMTP client where these are used again.
pub(super) const TLSPROXY: &str = "tlsproxy";

/// A line of master.cf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Service {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) chroot: Option<bool>,
    pub(super) command: String,
    /// The parameters that its options `-o` set.
    pub(super) options: HashMap<String, String>,
}

impl Service {
    /// `name type private unpriv chroot wakeup maxproc command arguments`.
    pub(super) fn read(line: &str) -> Option<Self> {
        let mut columns = line.split_whitespace();
        let name = columns.next()?.into();
        let kind = columns.next()?.into();
        let chroot = match columns.nth(2)? {
            "y" => Some(true),
            "n" => Some(false),
            _ => None,
        };
        let command = columns.nth(2)?;
        let command = command.rsplit('/').next().unwrap_or(command).into();
        Some(Self { name, kind, chroot, command, options: HashMap::new() })
    }

    /// `smtp/unix`, as postconf names it.
    pub(super) fn entry(&self) -> String {
        format!("{}/{}", self.name, self.kind)
    }

    /// Whether it is an SMTP client, which takes mails from the queue manager.
    pub(super) fn is_client(&self) -> bool {
        self.kind == "unix" && self.command == CLIENT
    }
}

/// The names of services, with commas.
pub(super) fn names(services: &[&Service]) -> String {
    services.iter().map(|service| &*service.name).collect::<Vec<_>>().join(", ")
}
