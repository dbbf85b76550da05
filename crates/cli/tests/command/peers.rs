//! `tlsrpt migrate` and `tlsrpt fetcher` without tlsrpt-reporter, which `make test-peer` runs.

use std::fs;

use crate::support::{directory, run_badly};

#[test]
fn wrong_arguments() {
    for (arguments, said) in [
        (&["migrate"][..], "<PATH>..."),
        (&["fetcher"], "<DAY>"),
        (&["fetcher", "yesterday"], "invalid value 'yesterday' for '<DAY>'"),
        (&["fetcher", "2026-11-28", "a.example", "b.example"], "unexpected argument 'b.example'"),
    ] {
        let error = run_badly(2, arguments);
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn without_a_store() {
    let directory = directory();
    let configuration = directory.path().join("tlsrpt.toml");
    let database = directory.path().join("tlsrpt.db");
    fs::write(&configuration, format!("[store]\nurl = \"sqlite:{}\"\n", database.display())).unwrap();
    let configuration = configuration.to_str().unwrap();
    for arguments in [["migrate", "--config", configuration, "x"], ["fetcher", "--config", configuration, "2026-11-28"]]
    {
        let error = run_badly(1, arguments);
        assert_eq!(error, format!("{}: there is no store; tlsrpt collect creates it", database.display()));
    }
    assert!(!database.exists());
}
