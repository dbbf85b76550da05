//! The messages to the service manager and to its journal.

use std::{
    fs,
    os::unix::{fs::MetadataExt, net::UnixDatagram},
    process::Stdio,
};

use nix::sys::signal::Signal;

use crate::support::{Collector, PATIENCE, Place, Process, event};

pub(crate) fn the_service_manager_gets_the_state() {
    let place = Place::new("");
    let manager = UnixDatagram::bind(place.path("notify")).unwrap();
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    let receives = |wanted: &str| {
        let mut buffer = [0; 4096];
        loop {
            let len = manager.recv(&mut buffer).unwrap();
            if std::str::from_utf8(&buffer[..len]).unwrap().lines().any(|line| line.starts_with(wanted)) {
                return;
            }
        }
    };
    let mut command = place.command();
    command.env("NOTIFY_SOCKET", place.path("notify")).env("WATCHDOG_USEC", "100000");
    let collector = Collector::started(command);
    receives("READY=1");
    receives("WATCHDOG=1");
    collector.send(&place, event("a.example"));
    receives("STATUS=collecting: 1 events, 0 invalid, 0 dropped");
    collector.signal(Signal::SIGTERM);
    receives("STOPPING=1");
    assert_eq!(collector.wait().0, Some(0));
}

pub(crate) fn the_journal_gets_priorities() {
    let place = Place::new("");
    let journal = fs::File::create(place.path("journal")).unwrap();
    let metadata = journal.metadata().unwrap();
    let mut command = place.command();
    command.env("JOURNAL_STREAM", format!("{}:{}", metadata.dev(), metadata.ino())).stderr(journal);
    let mut process = Process(command.stdout(Stdio::null()).spawn().unwrap());
    let lines = || fs::read_to_string(place.path("journal")).unwrap();
    crate::support::until(|| lines().contains("listening at"));
    UnixDatagram::unbound().unwrap().send_to(b"5", place.socket()).unwrap();
    crate::support::until(|| lines().contains("invalid datagram"));
    process.signal(Signal::SIGTERM);
    let code = process.exit_code();
    let said = lines();
    assert_eq!(code, Some(0), "{said}");
    let begins: Vec<_> = said.lines().map(|line| &line[..3]).collect();
    assert_eq!(begins, ["<6>", "<4>", "<6>"], "{said}");
}
