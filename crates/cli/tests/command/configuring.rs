//! `tlsrpt config`.

use std::{fs, path::Path};

use tempfile::TempDir;

use crate::support::{directory, run, run_well, text};

fn file(content: &str) -> (TempDir, String) {
    let directory = directory();
    let path = directory.path().join("tlsrpt.toml");
    fs::write(&path, content).unwrap();
    let path = path.to_str().unwrap().to_string();
    (directory, path)
}

#[test]
fn it_shows_each_value_and_its_origin() {
    let (_directory, path) = file("[store]\n\nkeep-days = 7\n");
    let shown = run_well(["config", "--config", &path]);
    let line_of = |start: &str| shown.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{shown}"));
    assert!(line_of("keep-days = 7 ").ends_with(&format!("  # {path}:3")), "{shown}");
    assert!(line_of("url = \"sqlite:/var/lib/tlsrpt/tlsrpt.db\" ").ends_with("  # default"), "{shown}");
    assert_eq!(shown, run_well(["config", "show", "--config", &path]));
}

#[test]
fn a_check_lists_every_error_and_ends_with_1() {
    let (_directory, path) = file("[collect]\nsokcet = \"/x\"\n[store]\nkeep-days = \"many\"\n");
    for action in ["check", "show"] {
        let output = run(["config", action, "--config", &path]);
        let said: Vec<_> = text(&output.stderr).lines().collect();
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), ""));
        let expected = [
            format!("tlsrpt: {path}:2: unknown key sokcet in [collect]; did you mean socket?"),
            format!(
                "tlsrpt: {path}:4: [store] keep-days = \"many\": expected a value of the type number, for instance 30"
            ),
        ];
        assert_eq!(said, expected);
    }
}

#[test]
fn a_check_of_a_valid_file_ends_with_0() {
    let (_directory, path) = file("[store]\nkeep-days = 7\n");
    assert_eq!(run_well(["config", "check", "--config", &path]), format!("{path}: no errors\n"));
}

#[test]
fn a_missing_file_named_by_config_is_an_error() {
    let output = run(["config", "check", "--config", "/nowhere/tlsrpt.toml"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stderr), "tlsrpt: /nowhere/tlsrpt.toml: there is no such file\n");
}

#[test]
fn a_password_that_everybody_can_read_is_a_warning() {
    let (_directory, path) = file("[mail]\nusername = \"u\"\npassword = \"hunter2\"\n");
    let output = run(["config", "check", "--config", &path]);
    assert_eq!(output.status.code(), Some(0));
    let expected = format!("tlsrpt: warning: {path}:3: everybody can read [mail] password; run: chmod o= {path}\n");
    assert_eq!(text(&output.stderr), expected);
    let shown = run(["config", "--config", &path]);
    assert!(!text(&shown.stdout).contains("hunter2"));
}

#[test]
fn the_installed_example_is_valid() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/tlsrpt.toml");
    run_well(["config", "check", "--config", path.to_str().unwrap()]);
}
