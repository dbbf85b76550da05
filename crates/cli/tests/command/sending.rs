//! `tlsrpt send`.

use std::{
    fs::{self, Permissions},
    io::Write,
    os::unix::{fs::PermissionsExt, net::UnixDatagram},
    path::Path,
    process::{Output, Stdio},
    thread,
};

use crate::support::{Collector, RECORD, SMALL, close_for_good, directory, run_badly, run_well, text, tlsrpt};

fn event(socket: &Path, more: &[&str]) -> Vec<String> {
    let mut arguments = ["send", "--socket", socket.to_str().unwrap(), "--domain", "example.org", "--record", RECORD]
        .map(String::from)
        .to_vec();
    arguments.extend(more.iter().map(ToString::to_string));
    arguments
}

fn send_from(socket: &Path, input: &str) -> Output {
    let mut child = tlsrpt()
        .args(["send", "--from", "-", "--socket"])
        .arg(socket)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn events_equal_the_events_of_the_library() {
    let directory = directory();
    let socket = directory.path().join("s");
    let collector = Collector::bind(&socket);
    run_well(event(&socket, &["--success"]));
    let expected =
        format!(r#"{{"dpv": "1","d": "example.org","pr": "{RECORD}","policies":[{{"policy-type":9,"t":0,"f":0}}]}}"#);
    assert_eq!(text(&collector.next()), expected);
    let more = [
        "--policy",
        "sts",
        "--policy-domain",
        "example.org",
        "--policy-string",
        "version: STSv1",
        "--policy-string",
        "mode: enforce",
        "--mx-host",
        "*.example.org",
        "--failure",
        "certificate-expired,receiving-mx-hostname=mx.example.org,failure-reason-code=a\\,b",
        "--failure",
        "starttls-not-supported",
    ];
    run_well(event(&socket, &more));
    let expected = format!(
        "{{\"dpv\": \"1\",\"d\": \"example.org\",\"pr\": \"{RECORD}\",\"policies\":[{{\"policy-type\":2,\
        \"policy-domain\": \"example.org\",\"policy-string\":[\"version: STSv1\",\"mode: enforce\"],\
        \"mx-host\":[\"*.example.org\"],\"failure-details\":[{{\"c\":204,\"n\": \"mx.example.org\",\"f\": \"a,b\"}},\
        {{\"c\":201}}],\"t\":2,\"f\":1}}]}}"
    );
    assert_eq!(text(&collector.next()), expected);
    run_well(event(&socket, &["--policy", "tlsa", "--success", "--failure", "tlsa-invalid"]));
    let sent = collector.next();
    assert!(text(&sent).ends_with(r#""policies":[{"policy-type":1,"failure-details":[{"c":304}],"t":1,"f":0}]}"#));
}

#[test]
fn recordings_arrive_unchanged() {
    let directory = directory();
    let socket = directory.path().join("s");
    let collector = Collector::bind(&socket);
    let output = send_from(&socket, &format!("{SMALL}\n\n{{\"invalid\":\"why\",\"bytes\":\"00ff\"}}\r\n{SMALL}"));
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), "tlsrpt: datagrams sent: 3\n"));
    assert_eq!([collector.next(), collector.next(), collector.next()], [SMALL.as_bytes(), b"\0\xff", SMALL.as_bytes()]);
}

#[test]
fn white_space_of_an_event_is_kept() {
    let directory = directory();
    let socket = directory.path().join("s");
    let collector = Collector::bind(&socket);
    let events = [format!("{SMALL} \t  "), format!("  {SMALL}"), format!("{SMALL}\u{20}")];
    let output = send_from(&socket, &events.join("\n"));
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    for event in events {
        assert_eq!(text(&collector.next()), event);
    }
}

/// An event of `len` bytes.
fn event_of(len: usize) -> String {
    let (start, end) = SMALL.split_at(SMALL.find("a.example").unwrap());
    format!("{start}{}{end}", "x".repeat(len - SMALL.len()))
}

#[test]
fn long_events_are_sent_and_refused_ones_are_counted() {
    let directory = directory();
    let socket = directory.path().join("s");
    let collector = Collector::bind(&socket);
    let wmem_max: usize = fs::read_to_string("/proc/sys/net/core/wmem_max").unwrap().trim().parse().unwrap();
    // The first is larger than the usual send buffer, the second than the largest.
    let (long, too_long) = (event_of((wmem_max + wmem_max / 2).min(900_000)), event_of(2 * wmem_max + 1));
    let recording = [&long, &too_long, SMALL, &too_long, &long].map(|line| format!("{line}\n")).concat();
    // The send buffer holds one long event: the next one waits until that is read.
    let reading = thread::spawn(move || [collector.next(), collector.next(), collector.next()]);
    let output = send_from(&socket, &recording);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let refused = |line| {
        format!(
            "tlsrpt: left out: line {line}: the system sends no datagram of {} bytes: raise net.core.wmem_max\n",
            too_long.len()
        )
    };
    assert_eq!(said, format!("{}{}tlsrpt: datagrams sent: 3\ntlsrpt: datagrams left out: 2\n", refused(2), refused(4)));
    for (expected, received) in [&long, SMALL, &long].into_iter().zip(reading.join().unwrap()) {
        assert!(received == expected.as_bytes(), "{} bytes for {}", received.len(), expected.len());
    }
}

#[test]
fn an_endless_line_is_skipped_in_bounded_memory() {
    /// The limit of the command's memory in KiB, and the length of a line that exceeds it, in bytes.
    const MEMORY: usize = 400 << 10;
    const LINE: usize = 600 << 20;
    let directory = directory();
    let socket = directory.path().join("s");
    let collector = Collector::bind(&socket);
    let mut child = std::process::Command::new("sh")
        .args(["-c", "ulimit -v \"$1\"; shift; exec \"$@\"", "sh", &MEMORY.to_string(), env!("CARGO_BIN_EXE_tlsrpt")])
        .args(["send", "--from", "-", "--socket"])
        .arg(&socket)
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let block = vec![b'x'; 1 << 20];
    for _ in 0..LINE / block.len() {
        input.write_all(&block).unwrap();
    }
    input.write_all(format!("\n{SMALL}\n").as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.starts_with("tlsrpt: left out: line 1 is longer than "), "{said}");
    assert!(said.ends_with("tlsrpt: datagrams sent: 1\ntlsrpt: datagrams left out: 1\n"), "{said}");
    assert_eq!(collector.next(), SMALL.as_bytes());
}

#[test]
fn sending_a_recording_waits_while_the_queue_is_full() {
    let directory = directory();
    let socket = directory.path().join("s");
    let collector = Collector::bind(&socket);
    let waiting = Collector::fill(&socket);
    let mut child = tlsrpt()
        .args(["send", "--rate", "1000000", "--socket"])
        .arg(&socket)
        .args(["--from", "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let count = 100;
    child.stdin.take().unwrap().write_all(format!("{SMALL}\n").repeat(count).as_bytes()).unwrap();
    for _ in 0..waiting + count {
        assert_eq!(collector.next(), SMALL.as_bytes());
    }
    assert!(child.wait().unwrap().success());
}

#[test]
fn there_is_a_progress_bar_only_on_a_terminal() {
    let directory = directory();
    let (socket, file) = (directory.path().join("s"), directory.path().join("f"));
    let _collector = Collector::bind(&socket);
    fs::write(&file, format!("{SMALL}\n")).unwrap();
    let output = tlsrpt().args(["send", "--socket"]).arg(&socket).arg("--from").arg(&file).output().unwrap();
    assert_eq!((text(&output.stdout), text(&output.stderr)), ("", "tlsrpt: datagrams sent: 1\n"));
}

#[test]
fn each_error_of_the_socket_has_its_message() {
    let directory = directory();
    let socket = directory.path().join("s");
    let fails_with = |why: &str| {
        let line = run_badly(1, event(&socket, &["--success"]));
        assert!(line.contains(why), "{line}");
        let line = text(&send_from(&socket, SMALL).stderr).to_string();
        assert!(line.contains(why), "{line}");
    };
    fails_with("there is no socket at");
    close_for_good(UnixDatagram::bind(&socket).unwrap(), &socket);
    fails_with("nobody listens at");
    fs::remove_file(&socket).unwrap();
    let _stream = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    fails_with("is not a datagram socket");
}

#[test]
fn a_full_queue_is_an_error_at_once() {
    let directory = directory();
    let socket = directory.path().join("s");
    let _collector = Collector::bind(&socket);
    Collector::fill(&socket);
    let line = run_badly(1, event(&socket, &["--success"]));
    assert!(line.contains("the queue of the collector at") && line.ends_with("is full"), "{line}");
}

#[test]
fn a_missing_permission_is_an_error() {
    let directory = directory();
    let socket = directory.path().join("s");
    let _collector = Collector::bind(&socket);
    fs::set_permissions(&socket, Permissions::from_mode(0o0)).unwrap();
    let output = crate::support::as_stranger(directory.path(), &event(&socket, &["--success"]));
    assert_eq!(output.status.code(), Some(1));
    let expected = format!("tlsrpt: no permission to write to {}\n", socket.display());
    assert_eq!(text(&output.stderr), expected);
}

#[test]
fn a_missing_file_is_an_error() {
    let line = run_badly(1, ["send", "--socket", "s", "--from", "/no/such/file"]);
    assert_eq!(line, "cannot read /no/such/file: No such file or directory");
}
