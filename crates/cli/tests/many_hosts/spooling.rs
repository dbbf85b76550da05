//! One collector, with a PostgreSQL that is away or whose answers do not arrive.

use std::{process::Command, thread, time::Duration};

use tlsrpt_store::{Synchronous, Url, open_reports};

use crate::{
    cutting::Proxy,
    host::{Host, counts, until},
    server::{PASSWORDS, Server},
    support::{event, program},
};

/// A server with the roles, and an empty store in the database `tlsrpt`.
pub(crate) fn server_with_store(settings: &str) -> Server {
    let server = Server::start(settings, "host all all 127.0.0.1/32 scram-sha-256");
    server.create_roles();
    server.write_passwords(PASSWORDS);
    server.create_database("tlsrpt");
    let url = server.tcp_url("tlsrpt_reporter", "tlsrpt", "").parse().unwrap();
    drop(open_reports(&Url::Postgresql(Box::new(url)), Synchronous::Full).unwrap());
    server
}

#[test]
fn sums_are_exact_when_answers_are_lost_and_collectors_are_killed() {
    const ROUNDS: u32 = 40;
    const DOMAINS: usize = 50;
    let seed = std::env::var("SEED").map_or_else(|_| fastrand::u64(..), |text| text.parse().expect("SEED is a number"));
    println!("SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let server = server_with_store("");
    let proxy = Proxy::start(server.port);
    let through_proxy = server
        .tcp_url("tlsrpt_collector", "tlsrpt", "")
        .replace(&format!(":{}/", server.port), &format!(":{}/", proxy.port));
    let mut host = Host::new("one.example", &through_proxy, "");
    host.start();
    let mut expected = vec![0_u64; DOMAINS];
    for _ in 0..ROUNDS {
        proxy.lose([0, 3, 10, 30][random.usize(..4)]);
        for _ in 0..random.u32(1..200) {
            let domain = random.usize(..DOMAINS);
            host.send(&event(&format!("{domain:02}.example")));
            expected[domain] += 1;
        }
        host.wait_until_kept();
        if random.bool() {
            // At some moment while batches are passed on.
            thread::sleep(Duration::from_micros(random.u64(0..1_500_000)));
            host.kill();
            host.start();
        }
    }
    proxy.lose(0);
    let read = server.tcp_url("tlsrpt_status", "tlsrpt", "");
    until("all is in the store", || host.spool().batches == 0);
    let expected: Vec<_> =
        expected.into_iter().enumerate().map(|(domain, events)| (format!("{domain:02}.example"), events)).collect();
    assert_eq!(counts(&read), expected, "{}", host.log());
    println!("{} answers were lost", proxy.cuts());
    assert!(proxy.cuts() >= 10, "{} answers were lost", proxy.cuts());
    host.end();
}

#[test]
fn a_host_works_without_the_database_and_says_so() {
    const AWAY: &str = "batches wait in the spool";
    const BACK: &str = "the store takes batches again";
    let mut server = server_with_store("");
    server.stop_hard();
    let mut host = Host::new("one.example", &server.tcp_url("tlsrpt_collector", "tlsrpt", ""), "");
    host.start();
    for number in 0..300 {
        host.send(&event(&format!("{:02}.example", number % 3)));
    }
    host.wait_until_kept();
    until("it says that the store is away", || host.said(AWAY) > 0);
    until("the service manager is told", || host.status().contains("; the store is away, "));

    let status = Command::new(program()).arg("status").arg("--config").arg(host.path("tlsrpt.toml")).output().unwrap();
    let shown = String::from_utf8(status.stdout).unwrap();
    assert_eq!(status.status.code(), Some(1), "{shown}");
    assert!(shown.contains("spool.db, batches that wait: ") && shown.contains("\n  store: "), "{shown}");

    // The end does not wait for the store, and says what stays in the spool.
    host.end();
    assert_eq!(host.said("; the next start passes them on"), 1, "{}", host.log());
    assert_eq!((host.said(AWAY), host.said(BACK)), (1, 0), "{}", host.log());
    assert!(host.spool().batches > 0);

    host.start();
    until("it says that the store is away", || host.said(AWAY) == 2);
    server.go_on();
    until("all is in the store", || host.spool().batches == 0);
    until("it says that the store is back", || host.said(BACK) == 1);
    let read = server.tcp_url("tlsrpt_status", "tlsrpt", "");
    let expected: Vec<_> = (0..3).map(|domain| (format!("{domain:02}.example"), 100)).collect();
    assert_eq!(counts(&read), expected);
    let registered = "SELECT name FROM tlsrpt.host";
    assert_eq!(server.sql("tlsrpt", registered), "one.example");
    host.end();
    assert_eq!((host.said(AWAY), host.said(BACK)), (2, 1), "{}", host.log());
}

/// An event with a record that compression makes little smaller.
fn large_event(number: usize, random: &mut fastrand::Rng) -> String {
    let text: String = (0..64).map(|_| format!("{:016x}", random.u64(..))).collect();
    event(&format!("{}.example", number % 10))
        .replace("rua=mailto:t@a.example", &format!("rua=mailto:{text}@a.example"))
}

#[test]
fn what_a_full_spool_drops_is_counted_and_said_and_the_rest_is_kept() {
    const FULL: &str =
        "the spool has reached spool-limit, 8 MiB; the store must take its batches, or set a larger spool-limit";
    const DROPPED: &str = "the buffer is full: ";
    let mut server = server_with_store("");
    server.stop_hard();
    let host = Host::new("one.example", &server.tcp_url("tlsrpt_collector", "tlsrpt", ""), "spool-limit = \"8MiB\"");
    let mut host = host.collecting("buffer = \"1MiB\"");
    host.start();
    let (mut random, mut sent) = (fastrand::Rng::with_seed(1), 0);
    let dropped_in = |text: &str| -> u64 {
        let words: Vec<_> = text.split([' ', ',']).filter(|word| !word.is_empty()).collect();
        let number = words.iter().position(|word| *word == "dropped").map(|at| words[at - 1].parse().unwrap());
        number.unwrap_or_default()
    };
    until("events are dropped", || {
        for _ in 0..100 {
            host.send(&large_event(sent, &mut random));
            sent += 1;
        }
        dropped_in(&host.status()) > 0
    });
    until("the log says so", || host.said(DROPPED) > 0);
    let log = host.log();
    assert_eq!(host.said(FULL), 1, "{log}");
    assert!(log.contains("datagrams wait in 1048576 bytes of memory until the spool takes them"), "{log}");
    assert!(host.spool().bytes < 8 << 20);
    let waiting = host.spool().batches;
    assert!(waiting > 0);

    server.go_on();
    until("the spool takes events again", || host.said("the spool takes events again") == 1);
    host.send(&event("last.example"));
    host.end();
    host.start();
    until("all is in the store", || host.spool().batches == 0);
    let read = server.tcp_url("tlsrpt_status", "tlsrpt", "");
    let events: u64 = counts(&read).iter().map(|(_, events)| events).sum();
    let lost: u64 = server.sql("tlsrpt", "SELECT sum(dropped) FROM tlsrpt.day").parse().unwrap();
    let total = host.log().lines().find(|line| line.contains(" datagrams arrived: ")).map(str::to_owned).unwrap();
    assert!(lost > 0 && total.contains(&format!(", {lost} dropped, 0 lost")), "{lost}: {total}");
    assert_eq!((events + lost) as usize, sent + 1, "{}", host.log());
    assert!(counts(&read).contains(&("last.example".to_owned(), 1)));
    host.end();
}

#[test]
fn the_collector_of_serve_works_without_the_database() {
    let mut server = server_with_store("");
    server.stop_hard();
    let mut host = Host::with_reporter("one.example", &server.tcp_url("tlsrpt_reporter", "tlsrpt", ""));
    host.start();
    (0..10).for_each(|_| host.send(&event("a.example")));
    host.wait_until_kept();
    until("the reporter waits", || host.said("reports wait until the store can be opened") == 1);
    // Nothing that is away ends it.
    host.end();
    host.start();
    server.go_on();
    until("all is in the store", || host.spool().batches == 0);
    until("the reporter works", || host.said("delivering; the reports of a day") == 1);
    assert_eq!(counts(&server.tcp_url("tlsrpt_status", "tlsrpt", "")), [("a.example".to_owned(), 10)]);
    host.end();
}
