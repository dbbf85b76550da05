//! `tlsrpt send`.

use std::{
    fs::{self, Permissions},
    io::Write,
    os::unix::{fs::PermissionsExt, net::UnixDatagram},
    path::Path,
    process::{Output, Stdio},
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
fn events_are_the_library_s() {
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
fn recordings_arrive_as_they_came() {
    let directory = directory();
    let socket = directory.path().join("s");
    let collector = Collector::bind(&socket);
    let output = send_from(&socket, &format!("{SMALL}\n\n{{\"invalid\":\"why\",\"bytes\":\"00ff\"}}\r\n{SMALL}"));
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), "tlsrpt: datagrams sent: 3\n"));
    assert_eq!([collector.next(), collector.next(), collector.next()], [SMALL.as_bytes(), b"\0\xff", SMALL.as_bytes()]);
}

#[test]
fn a_recording_waits_for_a_full_queue() {
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
fn no_progress_bar_but_on_a_terminal() {
    let directory = directory();
    let (socket, file) = (directory.path().join("s"), directory.path().join("f"));
    let _collector = Collector::bind(&socket);
    fs::write(&file, format!("{SMALL}\n")).unwrap();
    let output = tlsrpt().args(["send", "--socket"]).arg(&socket).arg("--from").arg(&file).output().unwrap();
    assert_eq!((text(&output.stdout), text(&output.stderr)), ("", "tlsrpt: datagrams sent: 1\n"));
}

#[test]
fn what_keeps_an_event_from_the_collector() {
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
fn no_permission() {
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
fn a_file_that_is_not_there() {
    let line = run_badly(1, ["send", "--socket", "s", "--from", "/no/such/file"]);
    assert_eq!(line, "/no/such/file: No such file or directory");
}
