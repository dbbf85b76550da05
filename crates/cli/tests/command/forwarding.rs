//! `tlsrpt listen --forward`.

use std::{fs, os::unix::net::UnixDatagram, path::PathBuf};

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

fn numbered(number: usize) -> Vec<u8> {
    SMALL.replace("a.example", &format!("{number}.example")).into_bytes()
}

#[test]
fn datagrams_go_on_in_order_valid_or_not() {
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
    assert_eq!(said, "tlsrpt: 4 datagrams came, 4 were passed on, 0 were lost\n");
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
    assert_eq!((code, &*said), (Some(0), "tlsrpt: 1000 datagrams came, 1000 were passed on, 0 were lost\n"));
}

#[test]
fn a_collector_may_restart() {
    let places = places();
    let mut listener = places.listener(&[]);
    let collector = places.collector.display().to_string();
    listener.send(numbered(0));
    let said = listener.says();
    assert!(said.starts_with(&format!("{collector} does not take datagrams: No such file")), "{said}");
    listener.send(numbered(1));
    let first = Collector::bind(&places.collector);
    assert_eq!([first.next(), first.next()], [numbered(0), numbered(1)]);
    assert!(listener.says().starts_with(&format!("{collector} takes datagrams again")));
    close_for_good(first, &places.collector);
    listener.send(numbered(2));
    let said = listener.says();
    assert!(said.starts_with(&format!("{collector} does not take datagrams: Connection refused")), "{said}");
    fs::remove_file(&places.collector).unwrap();
    let second = Collector::bind(&places.collector);
    assert_eq!(second.next(), numbered(2));
    listener.end_well();
}

#[test]
fn on_a_full_buffer_the_oldest_go_counted_and_said() {
    let places = places();
    let mut listener = places.listener(&["--buffer", "20kB"]);
    let count = 1000;
    listener.send(numbered(0));
    assert!(listener.says().contains("does not take datagrams"));
    for number in 1..count {
        listener.send(numbered(number));
    }
    assert!(listener.says().starts_with("the buffer is full: "));
    while listener.shows() != String::from_utf8(numbered(count - 1)).unwrap() {}
    let collector = Collector::bind(&places.collector);
    // The one that was being sent when the buffer filled up, and the latest that fit.
    assert_eq!(collector.next(), numbered(0));
    let mut next = String::from_utf8(collector.next()).unwrap();
    let oldest: usize = next.split(['.', '"']).find_map(|part| part.parse().ok().filter(|number| *number > 1)).unwrap();
    for number in oldest..count {
        assert_eq!(next.as_bytes(), numbered(number));
        if number + 1 < count {
            next = String::from_utf8(collector.next()).unwrap();
        }
    }
    listener.signal(Signal::SIGTERM);
    let (code, _, said) = listener.end();
    let lost = oldest - 1;
    let last = said.lines().last().unwrap();
    let expected = format!("tlsrpt: {count} datagrams came, {} were passed on, {lost} were lost", count - lost);
    assert_eq!((code, last), (Some(0), &*expected));
    assert!(lost > 500, "{lost}");
}

#[test]
fn what_nobody_takes_is_given_up_at_the_end_and_counted() {
    let places = places();
    let listener = places.listener(&[]);
    listener.send(SMALL);
    listener.send(SMALL);
    listener.signal(Signal::SIGTERM);
    let (code, _, said) = listener.end();
    assert_eq!(code, Some(1));
    let expected = "tlsrpt: 2 datagrams came, 0 were passed on, 2 were lost\n\
        tlsrpt: the collector did not take what waited\n";
    assert!(said.ends_with(expected), "{said}");
}

#[test]
fn it_goes_on_when_nobody_looks() {
    let places = places();
    let collector = Collector::bind(&places.collector);
    let mut listener = places.listener(&[]);
    listener.stop_looking();
    for number in 0..10 {
        listener.send(numbered(number));
        assert_eq!(collector.next(), numbered(number));
    }
    assert_eq!(listener.says(), "standard output: Broken pipe (os error 32); datagrams are still passed on");
    listener.end_well();
}

#[test]
fn an_output_that_nobody_reads_holds_nothing_up() {
    let places = places();
    let collector = Collector::bind(&places.collector);
    let mut listener = places.listener(&["--buffer", "100kB"]);
    let long = format!("{SMALL}{}", " ".repeat(10_000));
    for _ in 0..200 {
        listener.send(&long);
        assert_eq!(collector.next(), long.as_bytes());
    }
    listener.stop_looking();
    listener.end_well();
}

#[test]
fn a_datagram_that_is_too_long_for_others_is_passed_on() {
    let places = places();
    let collector = UnixDatagram::bind(&places.collector).unwrap();
    let listener = places.listener(&[]);
    // The longest that a socket with the usual send buffer sends.
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
