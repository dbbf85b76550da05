//! `tlsrpt listen --forward`.

use std::{fs, os::unix::net::UnixDatagram, path::PathBuf, process::Stdio, thread};

use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::support::{Collector, Listener, SMALL, close_for_good, directory};

struct Places {
    _directory: TempDir,
    socket: PathBuf,
    collector: PathBuf,
}

fn places() -> Places {
    let directory = directory();
    let (socket, collector) = (directory.path().join("s"), directory.path().join("c"));
    Places { _directory: directory, socket, collector }
}

impl Places {
    fn listener(&self, more: &[&str]) -> Listener {
        let mut arguments = vec!["--format", "json", "--forward", self.collector.to_str().unwrap()];
        arguments.extend(more);
        Listener::start(&self.socket, arguments)
    }
}

/// Ends the listener. Returns the last line of its standard error.
fn final_count(listener: Listener) -> String {
    listener.signal(Signal::SIGTERM);
    let (_, _, said) = listener.end();
    said.lines().last().unwrap_or_default().to_string()
}

/// A long datagram, so that a few fill the smallest buffer.
fn long_and_numbered(number: usize) -> Vec<u8> {
    let mut datagram = numbered(number);
    datagram.resize(2000, b' ');
    datagram
}

fn numbered(number: usize) -> Vec<u8> {
    SMALL.replace("a.example", &format!("{number}.example")).into_bytes()
}

#[test]
fn datagrams_are_forwarded_in_order_valid_or_not() {
    let places = places();
    let collector = Collector::bind(&places.collector);
    let mut listener = places.listener(&[]);
    let datagrams = [SMALL.as_bytes(), b"\xff", b"", SMALL.as_bytes()];
    for datagram in datagrams {
        listener.send(datagram);
        assert_eq!(collector.next(), datagram);
    }
    assert_eq!(listener.shows(), SMALL);
    listener.signal(Signal::SIGTERM);
    let (code, shown, said) = listener.end();
    assert_eq!((code, shown.lines().count()), (Some(0), 3));
    assert_eq!(said, "tlsrpt: 4 datagrams received, 4 forwarded, 0 lost\n");
}

#[test]
fn a_burst_waits_for_a_collector_that_does_not_read() {
    let places = places();
    let collector = Collector::bind(&places.collector);
    let listener = places.listener(&["--count", "1000"]);
    for number in 0..1000 {
        listener.send(numbered(number));
    }
    for number in 0..1000 {
        assert_eq!(collector.next(), numbered(number));
    }
    let (code, _, said) = listener.end();
    assert_eq!((code, &*said), (Some(0), "tlsrpt: 1000 datagrams received, 1000 forwarded, 0 lost\n"));
}

#[test]
fn a_collector_may_restart() {
    let places = places();
    let mut listener = places.listener(&[]);
    let collector = places.collector.display().to_string();
    listener.send(numbered(0));
    let said = listener.says();
    assert!(said.starts_with(&format!("{collector} takes no datagrams: No such file")), "{said}");
    listener.send(numbered(1));
    let first = Collector::bind(&places.collector);
    assert_eq!([first.next(), first.next()], [numbered(0), numbered(1)]);
    assert!(listener.says().starts_with(&format!("{collector} takes datagrams again")));
    close_for_good(first, &places.collector);
    listener.send(numbered(2));
    let said = listener.says();
    assert!(said.starts_with(&format!("{collector} takes no datagrams: Connection refused")), "{said}");
    fs::remove_file(&places.collector).unwrap();
    let second = Collector::bind(&places.collector);
    assert_eq!(second.next(), numbered(2));
    listener.end_well();
}

#[test]
fn a_full_buffer_drops_the_oldest_and_counts_them() {
    let places = places();
    let mut listener = places.listener(&["--buffer", "1MiB"]);
    let count = 1000;
    listener.send(long_and_numbered(0));
    assert!(listener.says().contains("takes no datagrams"));
    for number in 1..count {
        listener.send(long_and_numbered(number));
    }
    assert!(listener.says().starts_with("the buffer is full: "));
    while listener.shows() != String::from_utf8(long_and_numbered(count - 1)).unwrap() {}
    let collector = Collector::bind(&places.collector);
    // Left are the datagram that was being sent when the buffer became full, and the latest ones that fit.
    assert_eq!(collector.next(), long_and_numbered(0));
    let mut next = String::from_utf8(collector.next()).unwrap();
    let oldest: usize = next.split(['.', '"']).find_map(|part| part.parse().ok().filter(|number| *number > 1)).unwrap();
    for number in oldest..count {
        assert_eq!(next.as_bytes(), long_and_numbered(number));
        if number + 1 < count {
            next = String::from_utf8(collector.next()).unwrap();
        }
    }
    listener.signal(Signal::SIGTERM);
    let (code, _, said) = listener.end();
    let lost = oldest - 1;
    let last = said.lines().last().unwrap();
    let expected = format!("tlsrpt: {count} datagrams received, {} forwarded, {lost} lost", count - lost);
    assert_eq!((code, last), (Some(0), &*expected));
    assert!(lost > 500, "{lost}");
}

#[test]
fn datagrams_without_a_collector_are_counted_as_lost_at_the_end() {
    let places = places();
    let listener = places.listener(&[]);
    listener.send(SMALL);
    listener.send(SMALL);
    listener.signal(Signal::SIGTERM);
    let (code, _, said) = listener.end();
    assert_eq!(code, Some(1));
    let expected = "tlsrpt: 2 datagrams received, 0 forwarded, 2 lost\n\
        tlsrpt: the collector did not take all datagrams\n";
    assert!(said.ends_with(expected), "{said}");
}

#[test]
fn a_closed_standard_output_does_not_stop_forwarding() {
    let places = places();
    let collector = Collector::bind(&places.collector);
    let mut listener = places.listener(&[]);
    listener.stop_looking();
    for number in 0..10 {
        listener.send(numbered(number));
        assert_eq!(collector.next(), numbered(number));
    }
    assert_eq!(listener.says(), "standard output: Broken pipe; datagrams are still forwarded");
    listener.end_well();
}

#[test]
fn an_unread_output_does_not_delay_forwarding() {
    let places = places();
    let collector = Collector::bind(&places.collector);
    let mut listener = places.listener(&["--buffer", "1MiB"]);
    let long = format!("{SMALL}{}", " ".repeat(100_000));
    for _ in 0..200 {
        listener.send(&long);
        assert_eq!(collector.next(), long.as_bytes());
    }
    listener.stop_looking();
    listener.end_well();
}

#[test]
fn a_datagram_longer_than_the_usual_send_buffer_is_forwarded() {
    let places = places();
    let collector = UnixDatagram::bind(&places.collector).unwrap();
    let listener = places.listener(&[]);
    // The longest datagram that a socket with the usual send buffer sends.
    let longest = (100_000..300_000)
        .rev()
        .step_by(8)
        .map(|len| vec![b' '; len])
        .find(|datagram| UnixDatagram::unbound().unwrap().send_to(datagram, &listener.socket).is_ok());
    let longest = longest.unwrap();
    let mut buffer = vec![0; 1 << 20];
    assert_eq!(collector.recv(&mut buffer).unwrap(), longest.len());
    listener.end_well();
}

#[test]
fn a_collector_that_does_not_read_does_not_keep_it_from_ending() {
    let places = places();
    let _collector = Collector::bind(&places.collector);
    Collector::fill(&places.collector);
    let listener = places.listener(&[]);
    for _ in 0..200 {
        listener.send(SMALL);
    }
    listener.signal(Signal::SIGTERM);
    let (code, _, said) = listener.end();
    let expected = "tlsrpt: 200 datagrams received, 0 forwarded, 200 lost\n\
        tlsrpt: the collector did not take all datagrams\n";
    assert_eq!((code, &*said), (Some(1), expected));
}

#[test]
fn a_flood_does_not_keep_it_from_ending() {
    let places = places();
    let listener = Listener::start_writing_to(
        &places.socket,
        ["--format", "json", "--forward", places.collector.to_str().unwrap()],
        Stdio::null(),
    );
    let flooding: Vec<_> = (0..2)
        .map(|_| {
            let sender = UnixDatagram::unbound().unwrap();
            sender.connect(&places.socket).unwrap();
            // Until the listener has ended.
            thread::spawn(move || (0_u64..).take_while(|_| sender.send(SMALL.as_bytes()).is_ok()).count())
        })
        .collect();
    // The queue is full before the listener gets the signal.
    while Collector::fill(&places.socket) > 0 {}
    listener.signal(Signal::SIGTERM);
    let (code, _, said) = listener.end();
    assert!(said.contains(" datagrams received, 0 forwarded, "), "{said}");
    assert_eq!(code, Some(1));
    for flood in flooding {
        assert!(flood.join().unwrap() > 0);
    }
}

#[test]
fn unread_standard_error_does_not_delay_forwarding() {
    let places = places();
    let collector = Collector::bind(&places.collector);
    let listener =
        Listener::start(&places.socket, ["--format", "report", "--forward", places.collector.to_str().unwrap()]);
    // Each datagram causes a message: together more than the pipe and the queue for messages hold.
    for number in 0..2000 {
        let invalid = format!("{number} {}", "\u{1}".repeat(1000));
        listener.send(&invalid);
        assert_eq!(collector.next(), invalid.as_bytes());
    }
    listener.signal(Signal::SIGTERM);
    assert_eq!(listener.end_unread(), Some(0));
}

#[test]
fn forwarders_that_forward_to_each_other_circulate_nothing() {
    let places = places();
    let mut first = places.listener(&[]);
    let back = ["--format", "json", "--forward", places.socket.to_str().unwrap()];
    let mut second = Listener::start(&places.collector, back);
    // Equal datagrams are two events.
    for _ in 0..2 {
        first.send(SMALL);
        assert_eq!(first.shows(), SMALL);
        assert_eq!(second.shows(), SMALL);
    }
    let said = first.says();
    assert!(said.starts_with("the collector forwards to this command"), "{said}");
    // The same for a datagram that the other forwarder receives first.
    second.send(numbered(7));
    assert_eq!(second.shows().as_bytes(), numbered(7));
    assert_eq!(first.shows().as_bytes(), numbered(7));
    assert!(second.says().starts_with("the collector forwards to this command"));
    first.signal(Signal::SIGTERM);
    let (code, shown, said) = first.end();
    let expected = "tlsrpt: 5 datagrams received, 3 forwarded, 0 lost\n\
        tlsrpt: 2 of these datagrams were returned by the collector\n";
    assert_eq!((code, &*shown, &*said), (Some(0), "", expected));
    assert_eq!(final_count(second), "tlsrpt: 1 of these datagrams were returned by the collector");
}

#[test]
fn a_chain_of_forwarders_is_not_a_loop() {
    let places = places();
    let collector = Collector::bind(&places.collector);
    let last = places.listener(&[]);
    let middle_place = places.socket.with_file_name("m");
    let middle = Listener::start(&middle_place, ["--format", "json", "--forward", places.socket.to_str().unwrap()]);
    let first_place = places.socket.with_file_name("f");
    let first = Listener::start(&first_place, ["--format", "json", "--forward", middle_place.to_str().unwrap()]);
    for number in 0..100 {
        first.send(numbered(number));
        assert_eq!(collector.next(), numbered(number));
    }
    for listener in [first, middle, last] {
        assert_eq!(final_count(listener), "tlsrpt: 100 datagrams received, 100 forwarded, 0 lost");
    }
}
