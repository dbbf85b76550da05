//! The files that are generated from the table of keys: the example file and the list in the manual page.
//!
//! The tests compare the committed files with the generated ones. `make header` runs them with `WRITE_GENERATED` set;
//! then they write the files.

use std::{env, fs, path::PathBuf};

use tlsrpt_config::{Origin, SECTIONS, example::example, manual::manual};

use crate::loaded;

#[test]
fn example_file() {
    check("packaging/tlsrpt.toml", &example());
}

#[test]
fn list_of_keys_in_the_manual() {
    const BEGIN: &str = ".\\\" This list is made by `make header`.\n";
    const END: &str = ".\\\" The end of the list.\n";
    let name = "man/tlsrpt.toml.5";
    let text = fs::read_to_string(path(name)).unwrap();
    let (before, rest) = text.split_once(BEGIN).expect("the page has a place for the list");
    let (_, after) = rest.split_once(END).expect("the place for the list has an end");
    check(name, &format!("{before}{BEGIN}{}{END}{after}", manual()));
}

#[test]
fn the_example_changes_nothing_and_each_of_its_keys_is_valid() {
    let example = example();
    assert!(loaded(&example).settings.iter().all(|setting| setting.origin == Origin::Default));
    let commented: Vec<_> =
        example.lines().filter(|line| line.starts_with('#') && line.get(1..2) != Some(" ")).collect();
    let keys: Vec<_> = SECTIONS.iter().flat_map(|section| section.keys.iter().map(move |key| (section, key))).collect();
    let commented: Vec<_> = commented.into_iter().filter(|line| *line != "#").collect();
    assert_eq!(commented.len(), keys.len());
    // Users and groups need not exist here, and keys that belong together are incomplete.
    let about_this_host = ["this host has no", "belong together"];
    for (line, (section, key)) in commented.iter().zip(keys) {
        assert!(line.starts_with(&format!("#{} = ", key.name())), "{line}");
        let text = format!("[{}]\n{}\n", section.name(), &line[1..]);
        if let Err(problems) = tlsrpt_config::load_text("f.toml".as_ref(), &text) {
            let found = problems.to_string();
            assert!(about_this_host.iter().any(|reason| found.contains(reason)), "{text}{found}");
        }
    }
}

/// Compares the file with its expected content, or writes it.
fn check(name: &str, expected: &str) {
    if env::var_os("WRITE_GENERATED").is_some() {
        fs::write(path(name), expected).unwrap();
    }
    assert!(fs::read_to_string(path(name)).is_ok_and(|committed| committed == expected), "{name}: run `make header`");
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}
