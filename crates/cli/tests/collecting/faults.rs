//! A store that cannot be written.

use std::{fs, path::PathBuf};

use nix::{
    mount::{MntFlags, MsFlags, mount, umount2},
    sys::signal::Signal,
};
use rusqlite::Connection;

use crate::support::{Collector, Place, event};

const AGAIN: &str = "the store takes events again";

pub(crate) fn the_collector_waits_for_a_locked_store() {
    let place = Place::new("");
    let mut collector = place.start();
    let other = Connection::open(place.store()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    collector.send(&place, event("a.example"));
    let said = collector.says("locked by another process");
    assert!(said.contains("datagrams wait"), "{said}");
    for number in 0..100 {
        collector.send(&place, event(&format!("{number}.example")));
    }
    other.execute_batch("ROLLBACK").unwrap();
    collector.says(AGAIN);
    collector.end();
    assert_eq!(place.totals().events, 101);
}

pub(crate) fn datagrams_that_do_not_fit_the_buffer_are_counted_and_logged() {
    let place = Place::new("buffer = \"1MiB\"");
    let mut collector = place.start();
    let other = Connection::open(place.store()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    collector.send(&place, event("a.example"));
    collector.says("locked by another process");
    for number in 0..10_000 {
        collector.send(&place, event(&format!("{number}.example")));
    }
    let said = collector.says("the buffer is full");
    assert!(said.contains("datagrams were dropped"), "{said}");
    other.execute_batch("ROLLBACK").unwrap();
    collector.says(AGAIN);
    collector.signal(Signal::SIGTERM);
    assert_eq!(collector.wait().0, Some(0));
    let totals = place.totals();
    assert!(totals.dropped > 1000, "{totals:?}");
    assert_eq!(totals.events + totals.dropped, 10_001);
}

/// A small file system for one test.
struct Small(PathBuf);

impl Small {
    fn mount(path: PathBuf) -> Self {
        fs::create_dir(&path).unwrap();
        let none = None::<&str>;
        mount(none, &path, Some("tmpfs"), MsFlags::empty(), Some("size=1m")).expect("root is needed to mount");
        Self(path)
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = umount2(&self.0, MntFlags::MNT_DETACH);
    }
}

pub(crate) fn the_collector_waits_for_space_on_a_full_disk() {
    let place = Place::new("");
    let small = Small::mount(place.path("small"));
    let store = small.0.join("tlsrpt.db");
    place.configure("", &store);
    let mut collector = place.start();
    let filler = small.0.join("filler");
    let room = |bytes| fs::write(&filler, vec![0; bytes]).is_ok();
    assert!((0..1024).rev().any(|kib| room(kib << 10)));
    for number in 0..500 {
        collector.send(&place, event(&format!("{number}.example")));
    }
    let said = collector.says("no space is left");
    assert!(said.contains("keep-days"), "{said}");
    fs::remove_file(filler).unwrap();
    collector.says(AGAIN);
    collector.end();
    let mut reader = tlsrpt_store::open_reader(&tlsrpt_store::Url::Sqlite(store)).unwrap();
    assert_eq!(reader.days().unwrap().iter().map(|day| day.events).sum::<u64>(), 500);
    assert!(reader.check().unwrap().is_empty());
}

impl Small {
    fn set_read_only(&self, read_only: bool) {
        let flags = if read_only { MsFlags::MS_RDONLY } else { MsFlags::empty() };
        mount(None::<&str>, &self.0, None::<&str>, MsFlags::MS_REMOUNT | flags, None::<&str>).unwrap();
    }
}

pub(crate) fn the_collector_waits_for_a_read_only_store() {
    let place = Place::new("");
    let small = Small::mount(place.path("small"));
    let store = small.0.join("tlsrpt.db");
    place.configure("", &store);
    place.start().end();
    small.set_read_only(true);
    let mut collector = Collector::spawn(place.command());
    let said = collector.says("datagrams wait");
    assert!(said.contains("this user must be able to write there"), "{said}");
    collector.says("listening at");
    for number in 0..100 {
        collector.send(&place, event(&format!("{number}.example")));
    }
    small.set_read_only(false);
    collector.says(AGAIN);
    collector.end();
    let mut reader = tlsrpt_store::open_reader(&tlsrpt_store::Url::Sqlite(store)).unwrap();
    assert_eq!(reader.days().unwrap().iter().map(|day| day.events).sum::<u64>(), 100);
}

pub(crate) fn a_nearly_full_disk_needs_attention() {
    let place = Place::new("");
    let small = Small::mount(place.path("small"));
    place.configure("", &small.0.join("tlsrpt.db"));
    let collector = place.start();
    let mut status = std::process::Command::new(crate::support::program());
    let output = status.arg("status").arg("--config").arg(place.path("tlsrpt.toml")).output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.contains("are free on its file system; free some space, or lower keep-days"), "{shown}");
    assert_eq!(output.status.code(), Some(1), "{shown}");
    collector.end();
}

pub(crate) fn a_removed_store_is_created_again() {
    let place = Place::new("");
    let mut collector = place.start();
    collector.send(&place, event("a.example"));
    place.wait_for_events(1);
    for name in ["tlsrpt.db", "tlsrpt.db-wal", "tlsrpt.db-shm"] {
        fs::remove_file(place.path(name)).unwrap();
    }
    collector.send(&place, event("b.example"));
    collector.says("there is no store");
    collector.says(AGAIN);
    collector.end();
    assert_eq!(place.totals().events, 1);
}

pub(crate) fn a_damaged_store_is_set_aside() {
    let place = Place::new("");
    let collector = place.start();
    for number in 0..500 {
        collector.send(&place, event(&format!("{number}.example")));
    }
    collector.end();
    let mut bytes = fs::read(place.store()).unwrap();
    bytes[4096..].fill(0xa5);
    fs::write(place.store(), &bytes).unwrap();
    let mut collector = Collector::spawn(place.command());
    collector.says("damaged");
    collector.says("listening at");
    collector.send(&place, event("a.example"));
    let said = collector.says("was renamed");
    let name = said.split("was renamed ").nth(1).unwrap().split(';').next().unwrap();
    collector.says(AGAIN);
    collector.end();
    assert_eq!(place.totals().events, 1);
    let aside = fs::read(name).unwrap();
    assert_eq!(aside[4096..], bytes[4096..]);
}

pub(crate) fn a_file_that_was_never_a_store_is_not_renamed() {
    let place = Place::new("");
    let text = "a mailbox, or whatever else somebody keeps here\n".repeat(200);
    fs::write(place.store(), &text).unwrap();
    let mut collector = place.start();
    collector.send(&place, event("a.example"));
    collector.says("not a store of tlsrpt: refusing to rename it");
    assert_eq!(fs::read_to_string(place.store()).unwrap(), text);
    fs::remove_file(place.store()).unwrap();
    collector.says(AGAIN);
    collector.end();
    assert_eq!(place.totals().events, 1);
}

pub(crate) fn a_store_of_a_later_version_is_refused() {
    let place = Place::new("");
    place.start().end();
    Connection::open(place.store()).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
    let (code, said) = Collector::spawn(place.command()).wait();
    assert_eq!(code, Some(1));
    assert!(said.contains("a later version of tlsrpt made this store"), "{said}");
    assert!(!place.socket().exists());
}

pub(crate) fn datagrams_that_are_not_committed_at_the_end_are_an_error() {
    let place = Place::new("");
    let mut collector = place.start();
    let other = Connection::open(place.store()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    collector.send(&place, event("a.example"));
    collector.says("locked by another process");
    collector.signal(Signal::SIGTERM);
    let (code, said) = collector.wait();
    assert_eq!(code, Some(1));
    assert!(said.contains("1 datagrams are lost"), "{said}");
}
