//! A collector that runs and does not read: events wait for it, and it does nothing.

use std::{path::Path, thread, time::Duration};

use super::waiting::{bound_to, has_datagrams};
use crate::processes::{self, Process};

/// How often is looked, and what is between two looks.
const LOOKS: u32 = 6;
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

/// Whether events wait in the socket at this path at each look, while no thread of the processes that hold it runs.
pub(super) fn is_stuck(path: &Path, holders: &[Process]) -> bool {
    let sockets = bound_to(path);
    let waits = || sockets.iter().any(|inode| has_datagrams(*inode).unwrap_or(false));
    let turns = || holders.iter().map(|holder| processes::turns(holder.id)).sum::<u64>();
    if !waits() {
        return false;
    }
    let begin = turns();
    (1..LOOKS).all(|_| {
        thread::sleep(BETWEEN_LOOKS);
        waits() && turns() == begin
    })
}

#[cfg(test)]
mod tests {
    use std::{
        os::{fd::OwnedFd, unix::net::UnixDatagram},
        process::{Child, Command},
    };

    use super::is_stuck;
    use crate::processes::holders;

    struct Ended(Child);

    impl Drop for Ended {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    #[test]
    fn a_process_that_never_reads_is_stuck_once_an_event_waits() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let socket = UnixDatagram::bind(&path).unwrap();
        let send = || UnixDatagram::unbound().unwrap().send_to(b"event", &path).unwrap();
        // This process runs.
        send();
        let this = holders(&path);
        assert!(this.iter().any(|holder| holder.id == std::process::id()), "{this:?}");
        assert!(!is_stuck(&path, &this));
        socket.recv(&mut [0; 8]).unwrap();
        let sleeping = Ended(Command::new("sleep").arg("1000").stdin(OwnedFd::from(socket)).spawn().unwrap());
        let found = loop {
            // Until it has become sleep, which waits for its time.
            let found = holders(&path);
            if found.iter().any(|holder| holder.id == sleeping.0.id() && holder.name == "sleep" && holder.state == 'S')
            {
                break found;
            }
        };
        assert!(!is_stuck(&path, &found), "no event waits");
        send();
        assert!(is_stuck(&path, &found));
    }
}
