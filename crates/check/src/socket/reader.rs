//! Which process reads the socket, and whether it can.

use std::path::Path;

use crate::{
    finding::Finding,
    processes::{self, Process},
};

const CHECK: &str = "collector";
/// The first process, which listens for services that it starts.
const SERVICE_MANAGER: u32 = 1;

/// Names the process that has the socket open. None if this user may not see it.
pub(super) fn check(path: &Path) -> Option<Finding> {
    judge(path, processes::holders(path))
}

fn judge(path: &Path, mut holders: Vec<Process>) -> Option<Finding> {
    let shown = path.display();
    let of_manager = holders.iter().any(|holder| holder.id == SERVICE_MANAGER);
    holders.retain(|holder| holder.id != SERVICE_MANAGER);
    if let Some(Process { id, name, .. }) = holders.iter().find(|holder| matches!(holder.state, 'T' | 't')) {
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
    }
}
