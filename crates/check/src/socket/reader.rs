//! Which process reads the socket, and whether it can.

use std::path::Path;

use crate::{
    finding::Finding,
    processes::{self, Process},
};

const CHECK: &str = "collector";
/// The first process, which listens for services that it starts.
const SERVICE_MANAGER: u32 = 1;

/// The names of collectors, and the subcommands by which `tlsrpt` is one.
const NAMES: &str = "tlsrpt";
const SUBCOMMANDS: [&str; 3] = ["collect", "serve", "listen"];

/// Names the process that has the socket open. None if this user may not see it.
pub(super) fn check(path: &Path) -> Option<Finding> {
    let holders = processes::holders(path);
    if holders.is_empty() {
        return stopped(processes::named(NAMES).into_iter().filter(is_collector).collect());
    }
    judge(path, holders)
}

/// A collector of root makes its socket in a network namespace in which no process is, so that no list has the socket.
fn stopped(mut collectors: Vec<Process>) -> Option<Finding> {
    collectors.retain(is_stopped);
    let Process { id, name, .. } = collectors.first()?;
    let message = format!("the collector {name} (process {id}) is stopped: it reads no events");
    Some(Finding::fail(CHECK, message, format!("kill -CONT {id}")))
}

fn is_collector(process: &Process) -> bool {
    process.name != NAMES || processes::words(process.id).iter().any(|word| SUBCOMMANDS.contains(&&**word))
}

fn is_stopped(process: &Process) -> bool {
    matches!(process.state, 'T' | 't')
}

fn judge(path: &Path, mut holders: Vec<Process>) -> Option<Finding> {
    let shown = path.display();
    let of_manager = holders.iter().any(|holder| holder.id == SERVICE_MANAGER);
    holders.retain(|holder| holder.id != SERVICE_MANAGER);
    if let Some(Process { id, name, .. }) = holders.iter().find(|holder| is_stopped(holder)) {
        let message = format!("the collector at {shown}, {name} (process {id}), is stopped: it reads no events");
        return Some(Finding::fail(CHECK, message, format!("kill -CONT {id}")));
    }
    let names: Vec<_> = holders.iter().map(|Process { id, name, .. }| format!("{name} (process {id})")).collect();
    match (names.is_empty(), of_manager) {
        (false, _) => Some(Finding::ok(CHECK, format!("{shown} is the socket of {}", names.join(", ")))),
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
        let found = |holders| judge(Path::new("/s"), holders);
        assert_eq!(found(vec![]), None);
        let running = found(vec![process(1, 'S'), process(7, 'S')]).unwrap();
        assert_eq!((running.status, &*running.message), (Status::Ok, "/s is the socket of tlsrpt (process 7)"));
        let stopped = found(vec![process(1, 'S'), process(7, 'T')]).unwrap();
        assert_eq!((stopped.status, stopped.remedy.as_deref()), (Status::Fail, Some("kill -CONT 7")));
        assert!(found(vec![process(1, 'S')]).unwrap().message.contains("service manager"));
        assert_eq!(super::stopped(vec![process(7, 'S')]), None);
        let unseen = super::stopped(vec![process(7, 'S'), process(8, 'T')]).unwrap();
        assert_eq!((unseen.status, unseen.remedy.as_deref()), (Status::Fail, Some("kill -CONT 8")));
    }
}
