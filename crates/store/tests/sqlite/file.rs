//! The file of the store.

use std::fs;

use tlsrpt_store::{ErrorKind, Options, open, open_reader};

use crate::{
    behaviour::batches::{BAD, DAY, GOOD, batch, day, event},
    place::Place,
};

#[test]
fn checking_finds_a_missing_row() {
    let place = Place::new();
    place.open().add(&batch(1, DAY, &[(event("a.example", "r", &[GOOD]), 1)])).unwrap();
    let raw = rusqlite::Connection::open(place.path()).unwrap();
    raw.execute_batch("PRAGMA foreign_keys = off; DELETE FROM policy WHERE id > 0").unwrap();
    drop(raw);
    let found = place.reader().check().unwrap();
    assert_eq!(found, ["a row of sessions refers to a missing row of policy"]);
}

#[test]
fn a_reader_never_waits_and_never_writes() {
    let place = Place::new();
    assert_eq!(open_reader(&place.url).err().unwrap().kind(), ErrorKind::Missing);
    assert!(!place.path().exists());
    let mut store = place.open();
    store.add(&batch(1, DAY, &[(event("a.example", "r", &[GOOD]), 1)])).unwrap();
    let raw = rusqlite::Connection::open(place.path()).unwrap();
    raw.execute_batch("BEGIN IMMEDIATE; DELETE FROM writer").unwrap();
    let mut reader = open_reader(&place.url).unwrap();
    assert_eq!(reader.days().unwrap()[0].events, 1);
    assert_eq!(store.add(&batch(2, DAY, &[])).unwrap_err().kind(), ErrorKind::Locked);
    raw.execute_batch("ROLLBACK").unwrap();
    assert!(!store.add(&batch(2, DAY, &[])).unwrap().before);
    drop((reader, raw, store));
    // All is in one file now.
    let names: Vec<_> = fs::read_dir(place.directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["tlsrpt.db"]);
    assert_eq!(open_reader(&place.url).unwrap().days().unwrap()[0].events, 1);
    assert!(open_reader(&place.url).unwrap().size().unwrap() > 4096);
}

#[test]
fn a_removed_or_replaced_file_is_an_error() {
    let place = Place::new();
    let mut store = place.open();
    fs::remove_file(place.path()).unwrap();
    assert_eq!(store.add(&batch(1, DAY, &[])).unwrap_err().kind(), ErrorKind::Missing);
    fs::write(place.path(), "").unwrap();
    let error = store.add(&batch(1, DAY, &[])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Missing);
    assert!(error.to_string().contains("another file has taken the place"), "{error}");
}

#[test]
fn a_file_that_is_not_a_store_of_tlsrpt_is_not_changed() {
    let place = Place::new();
    let refused = || {
        let before = fs::read(place.path()).unwrap();
        let error = open(&place.url, Options::default()).err().unwrap();
        assert_eq!(fs::read(place.path()).unwrap(), before);
        assert_eq!(open_reader(&place.url).err().unwrap().kind(), error.kind());
        assert!(error.to_string().starts_with(place.path().to_str().unwrap()), "{error}");
        error
    };
    fs::write(place.path(), "no database, but long enough to be looked at".repeat(100)).unwrap();
    assert_eq!(refused().kind(), ErrorKind::Corrupt);
    fs::remove_file(place.path()).unwrap();

    rusqlite::Connection::open(place.path()).unwrap().execute_batch("CREATE TABLE x (y)").unwrap();
    let error = refused();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(error.to_string().contains("another program"), "{error}");
    fs::remove_file(place.path()).unwrap();

    drop(place.open());
    rusqlite::Connection::open(place.path()).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
    let error = refused();
    assert_eq!(error.kind(), ErrorKind::Newer);
    assert!(error.to_string().contains("a later version"), "{error}");
}

#[test]
fn a_damaged_file_is_recognized() {
    let place = Place::new();
    let many: Vec<_> = (0..500).map(|number| (event(&format!("{number}.example"), "r", &[GOOD]), 1)).collect();
    place.open().add(&batch(1, DAY, &many)).unwrap();
    let mut bytes = fs::read(place.path()).unwrap();
    bytes[4096..].fill(0xa5);
    fs::write(place.path(), bytes).unwrap();
    let outcome = open(&place.url, Options::default()).and_then(|mut store| store.add(&batch(2, DAY, &many)));
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn numbers_of_texts_that_another_process_removed_are_not_used() {
    let place = Place::new();
    let mut store = place.open();
    let events = [(event("a.example", "r", &[BAD]), 1)];
    store.add(&batch(1, DAY, &events)).unwrap();
    let raw = rusqlite::Connection::open(place.path()).unwrap();
    raw.execute_batch(
        "PRAGMA foreign_keys = on; DELETE FROM day; DELETE FROM domain WHERE id > 0; DELETE FROM record WHERE id > 0; \
         DELETE FROM policy WHERE id > 0; DELETE FROM failure WHERE id > 0; \
         INSERT INTO domain (name) VALUES ('other.example'); INSERT INTO record (hash, content) VALUES (x'01', 'other')",
    )
    .unwrap();
    store.add(&batch(2, DAY, &events)).unwrap();
    let domains = place.reader().domains(day(DAY), "", 10).unwrap();
    assert_eq!(domains.iter().map(|domain| (&*domain.domain, domain.events)).collect::<Vec<_>>(), [("a.example", 1)]);
    assert_eq!(place.reader().policies(day(DAY), "a.example").unwrap()[0].record, "r");
    assert_eq!(place.reader().check().unwrap(), [""; 0]);
}

#[test]
fn numbers_of_texts_in_a_transaction_that_failed_are_not_used() {
    let place = Place::new();
    let mut store = place.open();
    let raw = rusqlite::Connection::open(place.path()).unwrap();
    raw.execute_batch("CREATE TRIGGER no BEFORE INSERT ON failures BEGIN SELECT RAISE(ABORT, 'no'); END").unwrap();
    store.add(&batch(1, DAY, &[(event("a.example", "r", &[GOOD]), 1)])).unwrap();
    store.add(&batch(2, DAY, &[(event("b.example", "s", &[BAD]), 1)])).unwrap_err();
    // Its numbers are free again.
    for number in 3..=4 {
        store
            .add(&batch(number, DAY, &[(event(["c.example", "b.example"][number as usize - 3], "s", &[GOOD]), 1)]))
            .unwrap();
    }
    let domains = place.reader().domains(day(DAY), "", 10).unwrap();
    let names: Vec<_> = domains.iter().map(|domain| (&*domain.domain, domain.events)).collect();
    assert_eq!(names, [("a.example", 1), ("b.example", 1), ("c.example", 1)]);
    assert_eq!(place.reader().check().unwrap(), [""; 0]);
}

#[test]
fn other_users_may_not_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let _store = place.open();
    for name in ["tlsrpt.db", "tlsrpt.db-wal", "tlsrpt.db-shm"] {
        let mode = fs::metadata(place.directory.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777 & !0o660, 0, "{name}");
    }
}
