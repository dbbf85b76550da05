//! The examples of `--help` can be pasted into a shell: each is one command, which the parser of the command line takes.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use crate::support::{directory, run_well, subcommands, text};

/// Runs shell text in which each `tlsrpt` only parses its arguments.
fn paste(lines: &str, folder: &Path) -> Output {
    let script = format!("tlsrpt() {{ \"$TLSRPT\" \"$@\" --help >/dev/null; }}\nset -eu\n{lines}\n");
    let mut command = Command::new("sh");
    command.args(["-c", &script]).current_dir(folder).env("TLSRPT", env!("CARGO_BIN_EXE_tlsrpt"));
    command.output().unwrap()
}

/// The lines of the examples in a help: those behind the heading, up to an empty line.
fn examples(help: &str) -> Vec<&str> {
    let behind = help.lines().skip_while(|line| !matches!(*line, "Example:" | "Examples:")).skip(1);
    behind.take_while(|line| line.starts_with("  ")).collect()
}

#[test]
fn every_example_is_a_command_that_the_parser_takes() {
    let folder = directory();
    fs::write(folder.path().join("mail.eml"), "").unwrap();
    let mut seen = 0;
    for subcommand in subcommands() {
        let help = run_well([subcommand.as_str(), "--help"]);
        let lines = examples(&help);
        // The only one whose example is a line of another program's file.
        assert!(!lines.is_empty() || subcommand == "bounce", "{help}");
        let output = paste(&lines.join("\n"), folder.path());
        assert!(output.status.success(), "{}\n{}", lines.join("\n"), text(&output.stderr));
        seen += lines.iter().filter(|line| line.starts_with(&format!("  tlsrpt {subcommand}"))).count();
    }
    assert!(seen > 30, "only {seen} examples were found");
}

#[test]
fn a_broken_example_is_noticed() {
    let folder = directory();
    for wrong in ["tlsrpt listen --sockt x", "tlsrpt send --mx-host\n'*.example.org'", "tlsrpt lisen"] {
        assert!(!paste(wrong, folder.path()).status.success(), "{wrong}");
    }
}
