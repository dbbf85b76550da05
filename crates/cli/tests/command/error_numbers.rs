//! No message has the number of a system error, which the standard library writes behind its text.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Write},
    path::Path,
    process::{Output, Stdio},
};

use crate::support::{directory, subcommands, text, tlsrpt};

/// How the standard library writes the number.
const NUMBER: &str = "(os error ";
/// System errors in words. They are in most of the outputs, so that the absence of the number says something.
const WORDS: [&str; 6] = [
    "No such file or directory",
    "Not a directory",
    "Connection refused",
    "No space left on device",
    "Input/output error",
    // Of the dynamic linker.
    "cannot open shared object file",
];

const REPORT: &str = include_str!("../../../received/tests/senders/no-place.json");
const BOUNCE: &str = "To: tlsrpt-bounces+1-00000000@sender.example\n\nAction: failed\n";

/// A configuration whose store and socket have this path.
fn configuration(folder: &Path, name: &str, url: &str) -> String {
    let path = folder.join(name);
    let content = format!(
        "[store]\nurl = \"{url}\"\n[collect]\nsocket = \"{}\"\n[report]\norganization = \"Sender\"\ncontact = \"c@sender.example\"\n\
         from = \"noreply@sender.example\"\n",
        folder.join("file/socket").display()
    );
    fs::write(&path, content).unwrap();
    path.to_str().unwrap().into()
}

fn run(arguments: &[&str], input: &str, out: Stdio) -> Output {
    let mut child = tlsrpt().args(arguments).stdin(Stdio::piped()).stdout(out).stderr(Stdio::piped()).spawn().unwrap();
    // A command that does not read its input ends before.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// Asserts that a failed command says something, without a number. Returns whether it is the text of a system error.
fn has_words(arguments: &[&str], output: &Output) -> bool {
    let all = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert!(output.status.code() != Some(0) && !all.is_empty(), "{arguments:?} succeeds");
    assert!(!all.contains(NUMBER), "{arguments:?}: {all}");
    WORDS.iter().any(|words| all.contains(words))
}

#[test]
fn messages_have_no_numbers_of_system_errors() {
    assert!(io::Error::from_raw_os_error(2).to_string().contains(NUMBER));
    let folder = directory();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (file, none, below, inside) = (path("file"), path("none"), path("file/below"), path("none/inside"));
    fs::write(&file, "no configuration [").unwrap();
    let store = configuration(folder.path(), "store.toml", &format!("sqlite:{below}"));
    let good = configuration(folder.path(), "good.toml", &format!("sqlite:{}", path("db")));
    let server = configuration(folder.path(), "server.toml", "postgresql://nobody@127.0.0.1:1/none");
    let cases: &[(&[&str], &str)] = &[
        (&["listen", "--socket", &below], ""),
        (&["listen", "--socket", &inside], ""),
        (&["send", "--socket", &none, "--from", &path("nothing.jsonl")], ""),
        (&["send", "--socket", &below, "--domain", "d.example", "--record", "r", "--success"], ""),
        (&["send", "--socket", &none, "--domain", "d.example", "--record", "r", "--success"], ""),
        (&["check", "--socket", &below], ""),
        (&["check", "--socket", &below, "--format", "json"], ""),
        (&["check", "--socket", &below, "--monitor"], ""),
        (&["check", "--config", &none], ""),
        (&["config", "check", "--config", "/proc/self/mem"], ""),
        (&["collect", "--config", &store], ""),
        (&["serve", "--config", &store], ""),
        (&["status", "--config", &store], ""),
        (&["status", "--config", &store, "--format", "json"], ""),
        (&["status", "--config", &store, "--format", "html"], ""),
        (&["status", "--config", &store, "--domain", "d.example"], ""),
        (&["status", "--config", &good, "--output", &inside], ""),
        (&["status", "--config", &server], ""),
        (&["deliver", "--once", "--config", &store], ""),
        (&["deliver", "--once", "--config", &server], ""),
        (&["reports", "--config", &store], ""),
        (&["reports", "--config", &server], ""),
        (&["suppress", "list", "--config", &store], ""),
        (&["hosts", "--config", &server], ""),
        (&["bounce", "--config", &server], BOUNCE),
        (&["bounce", "--config", &none], BOUNCE),
        (&["migrate", &none, "--config", &good], ""),
        (&["migrate", &none, "--config", &server], ""),
        (&["fetcher", "2026-11-24", "--config", &store], ""),
        (&["read", &none], ""),
        (&["read", &below, "--format", "json"], ""),
        (&["read", &below, "--format", "html"], ""),
        (&["read", "-", "--output", &inside], REPORT),
        (&["receive", "--config", &store], REPORT),
        (&["receive", "--config", &server], REPORT),
        (&["received", "--config", &store], ""),
        (&["received", "--config", &server], ""),
        (&["received", "show", "a", "b", "--config", &server], ""),
        (&["record", "d.example", "--resolver", "127.0.0.1:1"], ""),
        (&["record", "d.example", "--resolver", "127.0.0.1:1", "--format", "json"], ""),
        (&["sendmail-map", "--listen", &format!("unix:{below}")], ""),
        (&["library-version", &none], ""),
        (&["test-event", &none], ""),
    ];
    let with_words =
        cases.iter().filter(|(arguments, input)| has_words(arguments, &run(arguments, input, Stdio::piped())));
    let with_words = with_words.count();
    assert!(with_words >= 20, "only {with_words} of {} outputs have a system error", cases.len());
    let tried: BTreeSet<_> = cases.iter().map(|(arguments, _)| arguments[0].to_owned()).collect();
    let missing: Vec<_> = subcommands().into_iter().filter(|subcommand| !tried.contains(subcommand)).collect();
    assert!(missing.is_empty(), "no error is provoked of {missing:?}");
}

#[test]
fn an_output_that_is_full_is_told_without_a_number() {
    for arguments in [
        &["read", "-"][..],
        &["read", "-", "--format", "json"],
        &["record", "v=TLSRPTv1; rua=mailto:a@b.example"],
        &["config"],
        &["completions", "bash"],
    ] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = run(arguments, REPORT, full.into());
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(has_words(arguments, &output), "{arguments:?}");
    }
}
