//! The checks of Exim, which reports through a module: its configuration as `exim -bP` prints it, and its socket.

mod configuration;
mod expansion;
mod files;
mod module;
mod signing;
mod transports;

pub use configuration::Exim;

use std::path::Path;

use files::SOCKET;

use crate::{
    access::{Visitor, group_of},
    bounded,
    collector::{Collector, USUAL},
    finding::{Finding, Status},
    packages, processes,
    remedy::Remedy,
    sender::Sender,
    socket::{Asker, Place, check_socket_of},
};

/// What the names of its processes begin with.
const NAME: &str = "exim";

impl Exim {
    /// Runs all checks of Exim, its module and its socket.
    #[must_use]
    pub fn check(&self, collector: &Collector) -> Vec<Finding> {
        let able = module::able(self);
        let is_able = able.status == Status::Ok;
        let mut findings = vec![able, self.running()];
        if !is_able {
            return findings;
        }
        findings.extend(transports::check(self));
        findings.extend(module::check(self));
        for sender in self.senders() {
            findings.extend(self.socket(&sender.place, collector));
        }
        findings
    }

    /// Where the transports send their events, and the user as which they do.
    #[must_use]
    pub fn senders(&self) -> Vec<Sender> {
        let mut sockets: Vec<_> = self.calls().map(|call| call.socket).collect();
        sockets.sort_unstable();
        sockets.dedup();
        sockets.retain(|name| !name.is_empty());
        let user = Some(self.user.clone()).filter(|user| !user.is_empty());
        sockets
            .into_iter()
            .map(|name| Sender { place: Place::of_host(Path::new(name)), user: user.clone(), library: None })
            .collect()
    }

    /// As whom Exim sends mails, if this user exists.
    pub(crate) fn visitor(&self) -> Option<Visitor> {
        Visitor::named(&self.user)
    }

    fn socket(&self, place: &Place, collector: &Collector) -> Vec<Finding> {
        let Some(visitor) = self.visitor() else {
            let message = format!("the user {:?}, Exim's exim_user, does not exist", self.user);
            return vec![Finding::fail("user", message, Remedy::run(packages::reinstall("exim4-base")))];
        };
        let group = group_of(&self.user);
        let rename = |other: &Path| {
            let value = Some(other).filter(|other| *other != Path::new(USUAL)).map(Path::to_string_lossy);
            Some(self.files.set_macro(SOCKET, value.as_deref()))
        };
        let usual = Path::new(USUAL);
        check_socket_of(place, Asker { visitor: &visitor, group: Some(&group), rename: &rename, usual, collector })
    }

    fn running(&self) -> Finding {
        const CHECK: &str = "running";
        // The process that listens. Those that deliver have other arguments, and end.
        let listens = |word: &str| word.starts_with("-bd") || word.starts_with("-q");
        let by_file = bounded::read_text(Path::new(&self.pid_file)).ok().and_then(|text| text.trim().parse().ok());
        let is_exim = |id: &u32| processes::name_of_running(*id).is_some_and(|name| name.starts_with(NAME));
        match by_file.filter(is_exim).or_else(|| processes::running(NAME, listens)) {
            Some(id) => Finding::ok(CHECK, format!("Exim runs: process {id}")),
            None => {
                let message = format!("Exim does not run: {} names no process of it", self.pid_file);
                Finding::fail(CHECK, message, Remedy::run("systemctl start exim4"))
            }
        }
    }
}
