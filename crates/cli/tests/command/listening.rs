//! `tlsrpt listen`, without `--forward`.

use std::{
    fs,
    os::unix::{
        fs::{FileTypeExt, symlink},
        net::{UnixDatagram, UnixListener},
    },
    process::Stdio,
};

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::support::{Collector, Listener, SMALL, close_for_good, directory, mode_and_owner, run_badly};

const FULL: &str = r#"{"dpv": "1","d": "Example.org","pr": "v=TLSRPTv1;rua=mailto:a@b.example","policies":[{"policy-type":2,"policy-domain": "example.org","policy-string":["version: STSv1","mode: enforce"],"mx-host":["*.example.org"],"failure-details":[{"c":204,"n": "mx.example.org","h": "mx\r\n\u001b[2J","f": "x\u202ey"},{"c":901},{"c":7}],"t":3,"f":1},{"policy-type":0,"t":0,"f":0}]}"#;

/// The text with TIME instead of each time of arrival.
fn without_times(shown: &str) -> String {
    let line = |line: &str| match line.split_once("Z  ") {
        Some((time, rest)) if time.len() == "2026-11-21T12:00:00".len() => format!("TIME  {rest}\n"),
        _ => format!("{line}\n"),
    };
    shown.lines().map(line).collect()
}

#[test]
fn events_as_text() {
    let directory = directory();
    let listener = Listener::start(&directory.path().join("s"), ["--count", "2"]);
    listener.send(FULL);
    listener.send(SMALL);
    let (code, shown, said) = listener.end();
    let expected = r"TIME  Example.org  failure
  policy   sts, example.org: failure
           version: STSv1
           mode: enforce
  mx-host  *.example.org
  failure  certificate-expired: The certificate has expired.
           receiving-mx-hostname: mx.example.org
           receiving-mx-helo: mx\r\n\u{1b}[2J
           failure-reason-code: x\u{202e}y
  failure  unfinished: The sending server gave up before the policy had a result.
  failure  unknown type 7
  policy   unknown type 0: success
  record   v=TLSRPTv1;rua=mailto:a@b.example

TIME  a.example  success
  policy   no-policy-found: success
  record   

";
    assert_eq!((code, without_times(&shown), said), (Some(0), expected.into(), String::new()));
}

#[test]
fn json_output_has_the_datagrams_unchanged() {
    let directory = directory();
    let listener = Listener::start(&directory.path().join("s"), ["--count", "2", "--format", "json"]);
    listener.send(FULL);
    listener.send(b"\xff\n");
    listener.send(SMALL);
    let (code, shown, _) = listener.end();
    let [first, invalid, last] = shown.lines().collect::<Vec<_>>()[..] else { panic!("{shown}") };
    assert_eq!((code, first, last), (Some(0), FULL, SMALL));
    let invalid: Value = serde_json::from_str(invalid).unwrap();
    assert_eq!((&invalid["bytes"], invalid["invalid"].is_string()), (&"ff0a".into(), true));
}

#[test]
fn reports_are_written_at_the_end() {
    let directory = directory();
    let arguments = ["--format", "report", "--organization", "Sender Inc", "--contact", "tlsrpt@sender.example"];
    let listener = Listener::start(&directory.path().join("s"), arguments);
    for _ in 0..2 {
        listener.send(FULL);
    }
    listener.send(SMALL);
    listener.send("no event");
    listener.signal(Signal::SIGINT);
    let (code, shown, said) = listener.end();
    assert_eq!(code, Some(0));
    let reports: Vec<Value> = serde_json::Deserializer::from_str(&shown).into_iter().collect::<Result<_, _>>().unwrap();
    let [full, small] = &reports[..] else { panic!("{shown}") };
    assert!(shown.starts_with("{\n  \"organization-name\": \"Sender Inc\",\n"), "{shown}");
    assert_eq!(full["contact-info"], "tlsrpt@sender.example");
    let [policy] = &full["policies"].as_array().unwrap()[..] else { panic!("{shown}") };
    assert_eq!(policy["summary"]["total-failure-session-count"], 2);
    assert_eq!(policy["failure-details"][0]["failed-session-count"], 2);
    assert_eq!(small["policies"][0]["policy"]["policy-type"], "no-policy-found");
    let said: Vec<_> = said.lines().collect();
    let expected = [
        "tlsrpt: not a valid datagram: expected ident at line 1 column 2: no event",
        "tlsrpt: the report about example.org goes to mailto:a@b.example",
        "tlsrpt: the report about a.example has no destination: its record is not valid: the record is empty",
        "tlsrpt: example.org: a failure of type 901, which has no name in RFC 8460, has no result-type",
        "tlsrpt: example.org: a failure of type 7, which has no name in RFC 8460, has no result-type",
        "tlsrpt: example.org: a policy of the unknown type 0 is in no report",
    ];
    assert_eq!(said, expected);
}

#[test]
fn an_invalid_datagram_is_shown_and_ends_nothing() {
    let directory = directory();
    let mut listener = Listener::start(&directory.path().join("s"), ["--count", "1"]);
    // Bytes that are shown in another form, with that form.
    let escaped = [(&b"\xff\x1b"[..], r"\xff\u{1b}"), (b"{\"d\":\"\xe9\"}", r#"{"d":"\xe9"}"#)];
    let cases: &[(&[u8], &str)] = &[
        (b"", "EOF while parsing a value"),
        (escaped[0].0, "not UTF-8 at byte 1"),
        (escaped[1].0, "not UTF-8 at byte 7"),
        (b"[]", "the datagram is not an object"),
        (b"[\"1\",\"d\",\"r\",[]]", "the datagram is not an object"),
        (b"{}", "d is missing"),
        (b"{\"d\":\"\",\"pr\":\"\",\"policies\":[{\"f\":1}]}", "policies[0].policy-type is missing"),
        (b"{\"d\":\"\",\"pr\":\"\",\"policies\":[{\"policy-type\":9}]}", "policies[0].f is missing"),
    ];
    for (datagram, reason) in cases {
        listener.send(datagram);
        assert!(listener.shows().ends_with("  not a valid datagram"));
        let shown = listener.shows();
        assert!(shown.starts_with("  reason   ") && shown.contains(reason), "{shown}");
        let escaped = escaped.iter().find_map(|(bytes, form)| (bytes == datagram).then_some(*form));
        let form = escaped.unwrap_or_else(|| std::str::from_utf8(datagram).unwrap());
        assert_eq!(listener.shows(), format!("  bytes    {}: {form}", datagram.len()));
        assert_eq!(listener.shows(), "");
    }
    listener.send(format!("{{\"d\":{}", "[".repeat(100_000)));
    listener.send(SMALL);
    let (code, shown, _) = listener.end();
    assert!(shown.contains("recursion limit") && shown.contains("a.example"));
    assert_eq!(code, Some(0));
}

#[test]
fn it_ends_after_a_time_and_with_each_signal() {
    let directory = directory();
    let socket = directory.path().join("s");
    let (code, ..) = Listener::start(&socket, ["--for", "20ms"]).end();
    assert_eq!((code, socket.exists()), (Some(0), false));
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let listener = Listener::start(&socket, ["--for", "1h"]);
        listener.send(SMALL);
        listener.signal(signal);
        let (code, shown, _) = listener.end();
        assert_eq!((code, socket.exists()), (Some(0), false));
        assert!(shown.contains("a.example"), "the datagram that arrived before the signal is not shown: {shown}");
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let directory = directory();
    let mut listener = Listener::start(&directory.path().join("s"), ["--format", "json"]);
    // More than the pipe of standard output holds, and nobody reads it.
    let long = format!("{}{}", SMALL, " ".repeat(100_000));
    for _ in 0..5 {
        listener.send(&long);
    }
    assert_eq!(listener.shows().len(), long.len());
    listener.signal(Signal::SIGTERM);
    while listener.socket.exists() {
        std::thread::yield_now();
    }
    listener.signal(Signal::SIGTERM);
    let (code, ..) = listener.end();
    assert_eq!(code, None);
}

#[test]
fn the_socket_has_its_mode_and_owner() {
    let directory = directory();
    let socket = directory.path().join("s");
    let me = mode_and_owner(directory.path());
    let listener = Listener::start::<&str>(&socket, []);
    assert!(fs::symlink_metadata(&socket).unwrap().file_type().is_socket());
    assert_eq!(mode_and_owner(&socket), (0o622, me.1, me.2));
    listener.end_well();
    for mode in [0o600, 0o660, 0o777, 0] {
        let listener = Listener::start(&socket, ["--mode", &format!("{mode:o}")]);
        assert_eq!(mode_and_owner(&socket).0, mode);
        listener.end_well();
    }
    if nix::unistd::geteuid().is_root() {
        let listener = Listener::start(&socket, ["--owner", "65534:65533", "--mode", "0620"]);
        assert_eq!(mode_and_owner(&socket), (0o620, 65534, 65533));
        listener.end_well();
    } else {
        let line = run_badly(1, ["listen", "--for", "1s", "--owner", "root", "--socket", socket.to_str().unwrap()]);
        assert!(line.contains("cannot set owner and mode of"), "{line}");
        assert!(!socket.exists());
    }
}

#[test]
fn the_queue_has_the_length_in_the_message() {
    let directory = directory();
    let listener = Listener::start(&directory.path().join("s"), ["--count", "1"]);
    if nix::unistd::geteuid().is_root() {
        assert_eq!(listener.queue, 2048);
    }
    listener.stop();
    let fits = Collector::fill(&listener.socket);
    listener.signal(Signal::SIGCONT);
    // Linux refuses the datagram after the one that exceeds the length.
    assert_eq!(fits, listener.queue + 1);
    assert_eq!(listener.end().0, Some(0));
}

#[test]
fn a_socket_in_use_is_not_taken() {
    let directory = directory();
    let socket = directory.path().join("s");
    let mut first = Listener::start(&socket, ["--format", "json"]);
    let second = || run_badly(1, ["listen", "--for", "1s", "--socket", socket.to_str().unwrap()]);
    assert!(second().contains("another process listens there"));
    first.send(SMALL);
    assert_eq!(first.shows(), SMALL);
    first.end_well();
    let _stream = UnixListener::bind(&socket).unwrap();
    assert!(second().contains("another process listens there"));
}

#[test]
fn a_stale_socket_is_replaced() {
    let directory = directory();
    let socket = directory.path().join("s");
    close_for_good(UnixDatagram::bind(&socket).unwrap(), &socket);
    assert!(socket.exists());
    let mut listener = Listener::start(&socket, ["--format", "json"]);
    listener.send(SMALL);
    assert_eq!(listener.shows(), SMALL);
    listener.end_well();
}

#[test]
fn other_files_are_not_replaced() {
    let directory = directory();
    let socket = directory.path().join("s");
    let refusal = || run_badly(1, ["listen", "--for", "1s", "--socket", socket.to_str().unwrap()]);
    fs::write(&socket, "precious").unwrap();
    assert!(refusal().ends_with("is a regular file: refusing to replace it"));
    assert_eq!(fs::read(&socket).unwrap(), b"precious");
    fs::remove_file(&socket).unwrap();
    symlink("elsewhere", &socket).unwrap();
    assert!(refusal().ends_with("is a symbolic link: refusing to replace it"));
    assert!(socket.is_symlink());
    fs::remove_file(&socket).unwrap();
    fs::create_dir(&socket).unwrap();
    assert!(refusal().ends_with("is a directory: refusing to replace it"));
    let line = run_badly(1, ["listen", "--socket", "/no/such/directory/s"]);
    assert!(line.contains("cannot listen at /no/such/directory/s: No such file or directory"), "{line}");
}

#[test]
fn the_socket_of_another_process_is_not_removed() {
    let directory = directory();
    let socket = directory.path().join("s");
    let listener = Listener::start::<&str>(&socket, []);
    fs::remove_file(&socket).unwrap();
    let _other = Collector::bind(&socket);
    listener.signal(Signal::SIGTERM);
    let (code, ..) = listener.end();
    assert_eq!((code, socket.exists()), (Some(0), true));
}

#[test]
fn a_closed_pipe_ends_it_quietly() {
    let directory = directory();
    let mut listener = Listener::start::<&str>(&directory.path().join("s"), []);
    listener.stop_looking();
    listener.send(SMALL);
    let socket = listener.socket.clone();
    let (code, _, said) = listener.end();
    assert_eq!((code, &*said, socket.exists()), (Some(0), "", false));
}

#[test]
fn a_full_disk_is_an_error() {
    let directory = directory();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let listener = Listener::start_writing_to::<&str>(&directory.path().join("s"), [], Stdio::from(full));
    listener.send(SMALL);
    let (code, _, said) = listener.end();
    assert_eq!((code, &*said), (Some(1), "tlsrpt: standard output: No space left on device\n"));
}

#[test]
fn senders_do_not_wait_for_a_slow_reader_of_the_output() {
    let directory = directory();
    let socket = directory.path().join("s");
    let listener = Listener::start(&socket, ["--format", "json", "--buffer", "1MiB", "--count", "300"]);
    let sender = UnixDatagram::unbound().unwrap();
    let long = format!("{}{}", SMALL, " ".repeat(9_000));
    for _ in 0..1_000 {
        sender.send_to(long.as_bytes(), &socket).unwrap();
    }
    sender.send_to(SMALL.as_bytes(), &socket).unwrap();
    listener.signal(Signal::SIGTERM);
    let (code, shown, said) = listener.end();
    let lost = 1_001 - shown.lines().count();
    assert_eq!(
        (code, said),
        (Some(0), format!("tlsrpt: {lost} datagrams were not shown: standard output was too slow\n"))
    );
    assert_eq!(shown.lines().last(), Some(SMALL));
}

#[test]
fn a_hangup_ends_it_and_removes_the_socket_unless_it_is_ignored() {
    let directory = directory();
    let socket = directory.path().join("s");
    // These tests may run under nohup, which makes the signal ignored.
    let mut command = std::process::Command::new("env");
    command.args(["--default-signal=HUP", env!("CARGO_BIN_EXE_tlsrpt"), "listen", "--socket"]).arg(&socket);
    let listener = Listener::spawn(command, &socket);
    listener.signal(Signal::SIGHUP);
    assert_eq!((listener.end().0, socket.exists()), (Some(0), false));
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "trap '' HUP; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_tlsrpt"), "listen", "--format", "json"]);
    command.arg("--socket").arg(&socket).stdout(Stdio::piped());
    let mut listener = Listener::spawn(command, &socket);
    listener.signal(Signal::SIGHUP);
    listener.send(SMALL);
    assert_eq!(listener.shows(), SMALL);
    listener.end_well();
}

#[test]
fn an_unread_output_does_not_keep_it_from_ending() {
    let directory = directory();
    let listener = Listener::start(&directory.path().join("s"), ["--format", "json"]);
    let long = format!("{SMALL}{}", " ".repeat(100_000));
    for _ in 0..5 {
        listener.send(&long);
    }
    listener.signal(Signal::SIGTERM);
    let socket = listener.socket.clone();
    assert_eq!((listener.end_unread(), socket.exists()), (Some(1), false));
}

#[test]
fn sizes_and_owners_without_effect_are_refused() {
    let directory = directory();
    let socket = directory.path().join("s");
    let refusal =
        |name, value| run_badly(2, ["listen", "--for", "1s", "--socket", socket.to_str().unwrap(), name, value]);
    for size in ["0", "16"] {
        let line = refusal("--buffer", size);
        assert!(line.contains(&format!("{size} bytes are too few; give at least 1.0 MiB")), "{line}");
    }
    for owner in ["4294967295", "root:4294967295"] {
        let line = refusal("--owner", owner);
        assert!(line.contains("4294967295"), "{line}");
    }
    assert!(!socket.exists());
}
