//! The manual page is written by hand. These tests compare its options with those of the command.

use std::{collections::BTreeSet, fs, path::Path};

use crate::support::run_well;

/// Each subcommand with its own subcommands.
const SUBCOMMANDS: [(&str, &[&str]); 16] = [
    ("listen", &[]),
    ("send", &[]),
    ("check", &[]),
    ("record", &[]),
    ("sendmail-map", &[]),
    ("collect", &[]),
    ("status", &[]),
    ("deliver", &[]),
    ("serve", &[]),
    ("reports", &["list", "show", "preview", "resend", "cancel"]),
    ("suppress", &["add", "remove", "list"]),
    ("hosts", &["list", "forget"]),
    ("bounce", &[]),
    ("migrate", &[]),
    ("fetcher", &[]),
    ("config", &[]),
];

#[test]
fn the_page_has_exactly_the_options_of_each_subcommand() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../man/tlsrpt.1");
    let page = fs::read_to_string(path).unwrap();
    let synopsis = page.split(".Sh SYNOPSIS").nth(1).unwrap().split(".Sh ").next().unwrap();
    for (subcommand, below) in SUBCOMMANDS {
        let uses = synopsis.split(".Nm\n").filter(|usage| usage.starts_with(&format!(".Cm {subcommand}\n")));
        let documented: BTreeSet<_> = uses.flat_map(|usage| options(usage, "Fl -")).collect();
        let mut known: BTreeSet<_> = options(&run_well([subcommand, "--help"]), "      --").collect();
        for below in below {
            known.extend(options(&run_well([subcommand, below, "--help"]), "      --"));
        }
        assert!(!known.is_empty(), "no options in the help of {subcommand}");
        known.remove("help");
        assert_eq!(documented, known, "{subcommand}");
        let explained = page.split(&format!(".Ss {subcommand}\n")).nth(1).unwrap();
        let explained = explained.split("\n.Ss ").next().unwrap().split("\n.Sh ").next().unwrap();
        for option in known {
            let form = option == "format" && explained.contains("Fl -format");
            assert!(form || explained.contains(&format!(".It Fl -{option}")), "{subcommand} --{option}");
        }
    }
}

/// The option names that follow `mark` in the text.
fn options<'a>(text: &'a str, mark: &'a str) -> impl Iterator<Item = String> + 'a {
    text.split(mark)
        .skip(1)
        .map(|rest| rest.chars().take_while(|character| character.is_ascii_lowercase() || *character == '-').collect())
}
