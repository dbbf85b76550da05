//! Which process reads the socket, and whether it can.

use std::path::Path;

use super::stuck::is_stuck;
use crate::{
    finding::Finding,
    processes::{self, Process},
    remedy::Remedy,
};

const CHECK: &str = "collector";
/// The first process, which listens for services that it starts.
const SERVICE_MANAGER: u32 = 1;

/// The names of collectors, and the subcommands by which `tlsrpt` is one.
const NAMES: &str = "tlsrpt";
const SUBCOMMANDS: [&str; 3] = ["collect", "serve", "listen"];

/// Names the process that has the socket open. None if this user may not see it.
pub(super) fn check(path: &Path, restart: &str) -> Option<Finding> {
    let holders = processes::holders(path);
    if holders.is_empty() {
        return stopped(processes::named(NAMES).into_iter().filter(is_collector).collect());
    }
    let stuck = is_stuck(path, &holders).then(|| does_not_read(path, &holders, restart));
    let judged = judge(path, holders, restart, processes::waits_for_a_device);
    // What explains it comes first.
    match stuck {
        Some(stuck) if judged.as_ref().is_none_or(|found| found.remedy.is_none()) => Some(stuck),
        _ => judged,
    }
}

/// A collector of root makes its socket in a network namespace in which no process is, so that no list has the socket.
fn stopped(mut collectors: Vec<Process>) -> Option<Finding> {
    collectors.retain(Process::is_stopped);
    let Process { id, name, .. } = collectors.first()?;
    let message = format!("the collector {name} (process {id}) is stopped: it reads no events");
    Some(Finding::fail(CHECK, message, Remedy::run(format!("kill -CONT {id}"))))
}

/// Whether a process has the name of a collector, or runs a script with such a name.
fn is_known(process: &Process) -> bool {
    process.name.starts_with(NAMES) || processes::words(process.id).iter().any(|word| is_script(word))
}

fn is_script(word: &str) -> bool {
    Path::new(word).file_name().is_some_and(|name| name.to_string_lossy().starts_with(NAMES))
}

fn is_collector(process: &Process) -> bool {
    process.name != NAMES || processes::words(process.id).iter().any(|word| SUBCOMMANDS.contains(&&**word))
}

/// The names and numbers of processes.
fn listed(processes: &[Process]) -> String {
    let names: Vec<_> = processes.iter().map(|Process { id, name, .. }| format!("{name} (process {id})")).collect();
    names.join(", ")
}

/// The finding for a collector that hangs, or is not started though events wait.
fn does_not_read(path: &Path, holders: &[Process], restart: &str) -> Finding {
    let message = format!(
        "events wait at {}, and the process that has the socket does nothing: {}",
        path.display(),
        listed(holders)
    );
    Finding::fail(CHECK, message, Remedy::after("journalctl -u tlsrpt-collect may say why", restart))
}

fn judge(path: &Path, mut holders: Vec<Process>, restart: &str, waits: impl Fn(u32) -> bool) -> Option<Finding> {
    let shown = path.display();
    // In a container, the first process may be the collector.
    let is_manager = |holder: &Process| holder.id == SERVICE_MANAGER && !holder.name.starts_with(NAMES);
    let of_manager = holders.iter().any(is_manager);
    holders.retain(|holder| !is_manager(holder));
    if let Some(Process { id, name, .. }) = holders.iter().find(|holder| holder.is_stopped()) {
        let message = format!("the collector at {shown}, {name} (process {id}), is stopped: it reads no events");
        return Some(Finding::fail(CHECK, message, Remedy::run(format!("kill -CONT {id}"))));
    }
    if let Some(Process { id, name, .. }) = holders.iter().find(|holder| waits(holder.id)) {
        let message = format!(
            "the collector at {shown}, {name} (process {id}), waits for a disk or a file system that does not answer"
        );
        return Some(Finding::warn(
            CHECK,
            message,
            Remedy::after("the log of the kernel names the device", "journalctl -k -n 50"),
        ));
    }
    let names = listed(&holders);
    match (holders.is_empty(), of_manager) {
        (false, _) if !holders.iter().any(is_known) => {
            let ids: Vec<_> = holders.iter().map(|holder| holder.id.to_string()).collect();
            let message = format!("{shown} is the socket of {names}, which is no collector that is known here");
            let remedy = Remedy::after(
                "nothing, if it is a collector; else end it and start the collector",
                format!("kill {} && {restart}", ids.join(" ")),
            );
            Some(Finding::warn(CHECK, message, remedy))
        }
        (false, _) => Some(Finding::ok(CHECK, format!("{shown} is the socket of {names}"))),
        (true, true) => {
            let message =
                format!("the service manager listens at {shown}, and starts the collector when an event arrives");
            Some(Finding::ok(CHECK, message))
        }
        (true, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::judge;
    use crate::{finding::Status, processes::Process};

    #[test]
    fn a_stopped_collector_is_a_failure_with_the_command_that_continues_it() {
        let process = |id, state| Process { id, name: "tlsrpt".into(), state };
        let found = |holders| judge(Path::new("/s"), holders, "restart", |_| false);
        assert_eq!(found(vec![]), None);
        let manager = || Process { name: "systemd".into(), ..process(1, 'S') };
        let in_container = found(vec![process(1, 'S')]).unwrap();
        assert_eq!(in_container.message, "/s is the socket of tlsrpt (process 1)");
        let running = found(vec![manager(), process(7, 'S')]).unwrap();
        assert_eq!((running.status, &*running.message), (Status::Ok, "/s is the socket of tlsrpt (process 7)"));
        let stopped = found(vec![manager(), process(7, 'T')]).unwrap();
        assert_eq!((stopped.status, stopped.command()), (Status::Fail, Some("kill -CONT 7")));
        let waiting = judge(Path::new("/s"), vec![process(7, 'S')], "restart", |id| id == 7).unwrap();
        assert_eq!(waiting.status, Status::Warn);
        assert!(waiting.message.contains("(process 7), waits for a disk"), "{waiting:?}");
        let other = Process { name: "socat".into(), ..process(u32::MAX, 'S') };
        let foreign = found(vec![manager(), other.clone()]).unwrap();
        assert_eq!((foreign.status, foreign.command()), (Status::Warn, Some("kill 4294967295 && restart")));
        assert_eq!(found(vec![process(7, 'S'), other]).unwrap().status, Status::Ok);
        assert!(found(vec![manager()]).unwrap().message.contains("service manager"));
        assert_eq!(super::stopped(vec![process(7, 'S')]), None);
        let unseen = super::stopped(vec![process(7, 'S'), process(8, 'T')]).unwrap();
        assert_eq!((unseen.status, unseen.command()), (Status::Fail, Some("kill -CONT 8")));
    }
}
