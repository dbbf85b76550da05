//! Bad use gets one line on standard error and exit code 2.

use crate::support::{directory, run, run_badly, run_well, text};

#[test]
fn arguments() {
    let long = "x".repeat(108);
    let cases: &[(&[&str], &str)] = &[
        (&[], "a subcommand is missing; tlsrpt --help lists them"),
        (&["suppress"], "tlsrpt suppress needs a word more: add, remove, list (see --help)"),
        (&["lisen"], "unrecognized subcommand 'lisen'; did you mean listen? (see --help)"),
        (&["--colour"], "unexpected argument '--colour'"),
        (&["listen", "--sockt", "x"], "unexpected argument '--sockt' found; did you mean --socket?"),
        (&["listen", "x"], "unexpected argument 'x'"),
        (&["listen", "--socket"], "a value is required for '--socket <PATH>'"),
        (&["listen", "--socket", ""], "the name of the socket is empty"),
        (&["listen", "--socket", &long], "108 bytes are too long"),
        (&["listen", "--forward", &long], "108 bytes are too long"),
        (&["listen", "--socket", "x", "--forward", "x"], "same place"),
        (&["listen", "--mode", "0888"], "octal"),
        (&["listen", "--mode", "1777"], "nine permission bits"),
        (&["listen", "--mode", "rw"], "octal"),
        (&["listen", "--owner", "no-such-user"], "there is no user no-such-user"),
        (&["listen", "--owner", "root:no-such-group"], "there is no group no-such-group"),
        (&["listen", "--owner", ":"], "there is no group"),
        (&["listen", "--count", "0"], "--count"),
        (&["listen", "--count", "many"], "--count"),
        (&["listen", "--for", "0s"], "longer than zero"),
        (&["listen", "--for=-1s"], "negative"),
        (&["listen", "--for", "soon"], "write it as 30s"),
        (&["listen", "--buffer", "16 bits"], "--buffer"),
        (&["listen", "--format", "xml"], "[possible values: text, json, report]"),
        (&["send"], "--socket <PATH>"),
        (&["send", "--socket", "x"], "--domain <DOMAIN> --record <TEXT>"),
        (&["send", "--socket", "x", "--domain", "d"], "--record <TEXT>"),
        (&["send", "--socket", "x", "--domain", "d", "--record", "r"], "--success or --failure"),
        (
            &["send", "--socket", "x", "--domain", "d", "--record", "r", "--policy", "dane"],
            "[possible values: sts, tlsa, none]",
        ),
        (
            &["send", "--socket", "x", "--domain", "d", "--record", "r", "--failure", "expired"],
            "\"expired\" is none of",
        ),
        (&["send", "--socket", "x", "--domain", "d", "--record", "r", "--failure", "tlsa-invalid,x"], "not KEY=VALUE"),
        (
            &["send", "--socket", "x", "--domain", "d", "--record", "r", "--failure", "tlsa-invalid,x=y"],
            "\"x\" is none of",
        ),
        (&["send", "--socket", "x", "--from", "f", "--domain", "d"], "cannot be used with"),
        (&["send", "--socket", "x", "--from", "f", "--rate", "0"], "--rate"),
        (
            &["send", "--socket", "x", "--domain", "d", "--record", "r", "--success", "--rate", "1"],
            "--rate needs --from",
        ),
        (&["send", "--socket", &long, "--from", "f"], "108 bytes are too long"),
        (&["check", "--socket", "x", "--postfix"], "cannot be used with"),
        (&["check", "--format", "yaml"], "[possible values: text, json] (see --help)"),
        (&["check", "--format", "jsn"], "[possible values: text, json]; did you mean json?"),
        (&["reports", "lst"], "did you mean list?"),
        (&["reports", "--config", "x", "resend", "17"], "; write options behind the subcommand (see --help)"),
        (&["hosts", "--config", "x", "forget", "y"], "; write options behind the subcommand (see --help)"),
        (&["suppress", "--config", "x", "list"], "'--config' found; write options behind the subcommand (see --help)"),
        (&["received", "--alert", "--rate", "101"], "write a percentage from 0 to 100"),
        (&["received", "--alert", "--rate", "NaN"], "write a percentage from 0 to 100"),
        (&["record"], "<DOMAIN|TEXT>"),
        (&["record", "a", "b"], "unexpected argument 'b'"),
        (&["sendmail-map"], "--listen unix:PATH"),
        (&["sendmail-map", "--listen", "/run/map.sock"], "write it as unix:PATH"),
        (&["sendmail-map", "--listen", "unix:"], "the name of the socket is empty"),
        (&["sendmail-map", "--listen", &format!("unix:{long}")], "108 bytes are too long"),
        (&["sendmail-map", "--listen", "unix:x", "--mode", "rw"], "octal"),
        (&["status", "--format", "xml"], "[possible values: text, json, prometheus, html]"),
        (&["status", "--day", "today"], "--domain <DOMAIN>"),
        (&["status", "--domain", "a.example", "--day", "2026-02-30"], "write a day as 2026-11-24, today or yesterday"),
        (&["status", "--domain", "a.example", "--watch"], "cannot be used with"),
        (&["config", "chek"], "[possible values: show, check]; did you mean check?"),
        (&["config", "--config"], "--config <FILE>"),
        (&["completions", "csh"], "csh"),
    ];
    for (arguments, expected) in cases {
        let line = run_badly(2, *arguments);
        assert!(line.contains(expected), "{arguments:?}: {line}");
    }
}

#[test]
fn a_line_that_is_not_a_recorded_datagram() {
    let directory = directory();
    let (socket, file) = (directory.path().join("s"), directory.path().join("f"));
    std::fs::write(&file, "\n\nhello\n").unwrap();
    let line = run_badly(2, [c("send"), c("--socket"), socket.as_os_str(), c("--from"), file.as_os_str()]);
    assert!(line.contains("line 3 is no recorded datagram"), "{line}");
}

#[test]
fn forwarding_to_the_own_socket() {
    let directory = directory();
    let (socket, link) = (directory.path().join("s"), directory.path().join("l"));
    std::os::unix::fs::symlink(&socket, &link).unwrap();
    let line =
        run_badly(2, [c("listen"), c("--for=1s"), c("--socket"), socket.as_os_str(), c("--forward"), link.as_os_str()]);
    assert!(line.contains("same socket"), "{line}");
    assert!(!socket.exists());
}

#[test]
fn the_help_of_every_subcommand_has_an_example() {
    for subcommand in ["listen", "send", "check", "record", "status", "config"] {
        let help = run_well([subcommand, "--help"]);
        let (_, examples) = help.split_once("Example").unwrap_or_else(|| panic!("{help}"));
        assert!(examples.contains(&format!("\n  tlsrpt {subcommand} ")), "{help}");
    }
    let help = run_well(["--help"]);
    assert!(help.contains("\nServices  ") && !help.contains("library-version"), "{help}");
    assert!(run_well(["--version"]).starts_with("tlsrpt "));
    assert!(!text(&run(["--help"]).stdout).contains('\u{1b}'));
}

fn c(text: &str) -> &std::ffi::OsStr {
    text.as_ref()
}
