//! Every event that the library reported as sent is in the store.

use std::os::unix::net::UnixDatagram;

use nix::sys::signal::Signal;
use tlsrpt_collect::MOST_IN_HAND;

use crate::{
    sender::{Mode, Sender},
    support::{Collector, Place, event, held_socket, waiting_in},
};

const SENDERS: usize = 20;

pub(crate) fn nothing_is_lost_with_a_queue_of_10() {
    nothing_is_lost(10);
}

pub(crate) fn nothing_is_lost_with_a_queue_of_512() {
    nothing_is_lost(512);
}

/// Half of the senders block while the queue is full; the other half get an error.
fn nothing_is_lost(queue: u32) {
    const EVENTS: usize = 1000;
    let place = Place::new("");
    let held = held_socket(&place.socket(), queue);
    let collector = place.start_with(&held);
    let mode = |number| if number % 2 == 0 { Mode::Blocking } else { Mode::NonBlocking };
    let senders: Vec<_> =
        (0..SENDERS).map(|number| Sender::start(&place.socket(), mode(number), number, EVENTS)).collect();
    let sent: Vec<u64> = senders.into_iter().map(Sender::sent).collect();
    collector.end();
    let waiting = waiting_in(&held);
    let (blocking, all) = (sent.iter().step_by(2).sum::<u64>(), sent.iter().sum::<u64>());
    println!("  queue of {queue}: {all} of {} events were sent, {waiting} wait for the next start", SENDERS * EVENTS);
    assert_eq!(blocking, (SENDERS / 2 * EVENTS) as u64);
    let totals = place.totals();
    assert_eq!((totals.events + waiting, totals.invalid, totals.dropped), (all, 0, 0));
    assert!(place.reader().check().unwrap().is_empty());
}

const RESTARTS: u64 = 20;

/// Ends the collector while senders send, and starts the next one. Returns the number of events that were sent.
fn through_restart(place: &Place, held: &UnixDatagram, signal: Signal) -> u64 {
    const EVENTS: usize = 1000;
    let before = place.totals().events;
    let mut collector = place.start_with(held);
    let start = |number| Sender::start(&place.socket(), Mode::Blocking, number, EVENTS);
    let senders: Vec<_> = (0..SENDERS).map(start).collect();
    // The collector has stored events before the signal.
    place.wait_for_events(before + 100);
    collector.signal(signal);
    let (code, said) = collector.wait();
    assert_eq!(code, (signal == Signal::SIGTERM).then_some(0), "{said}");
    collector = place.start_with(held);
    let sent = senders.into_iter().map(Sender::sent).sum();
    collector.end();
    sent
}

pub(crate) fn nothing_is_lost_through_restarts() {
    let place = Place::new("");
    let held = held_socket(&place.socket(), 512);
    place.start_with(&held).end();
    let sent: u64 = (0..RESTARTS).map(|_| through_restart(&place, &held, Signal::SIGTERM)).sum();
    let waiting = waiting_in(&held);
    println!("  {RESTARTS} restarts by SIGTERM: {sent} events were sent, {waiting} wait for the next start");
    assert_eq!(place.totals().events + waiting, sent);
}

pub(crate) fn a_kill_loses_only_uncommitted_datagrams() {
    let place = Place::new("");
    let mut lost = Vec::new();
    for kill in 0..RESTARTS {
        let socket = place.socket();
        let _ = std::fs::remove_file(&socket);
        let held = held_socket(&socket, 512);
        place.start_with(&held).end();
        let before = place.totals().events;
        let sent = through_restart(&place, &held, Signal::SIGKILL);
        let kept = place.totals().events - before + waiting_in(&held);
        assert!(kept <= sent, "kill {kill}: {kept} of {sent}");
        lost.push(sent - kept);
    }
    println!("  {RESTARTS} restarts by kill -9, of 20,000 events each, lost: {lost:?}; the bound is {MOST_IN_HAND}");
    assert!(lost.iter().all(|lost| *lost <= MOST_IN_HAND), "{lost:?}");
    assert!(place.reader().check().unwrap().is_empty());
}

/// The collector creates the socket with its mode, and removes it at the end.
pub(crate) fn a_socket_of_its_own() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new("socket-mode = \"0622\"");
    let collector: Collector = place.start();
    let mode = std::fs::metadata(place.socket()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o622);
    // libtlsrpt 0.5.0rc1 sends no dpv.
    collector.send(&place, event("a.example").replace(r#""dpv":"1","#, ""));
    collector.send(&place, event("A.example."));
    collector.end();
    assert!(!place.socket().exists());
    let mut reader = place.reader();
    let day = reader.days().unwrap()[0].day;
    let domains: Vec<_> =
        reader.domains(day, "", 10).unwrap().into_iter().map(|one| (one.domain, one.events)).collect();
    assert_eq!(domains, [("a.example".to_string(), 2)]);
}
