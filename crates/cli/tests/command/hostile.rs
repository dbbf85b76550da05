//! Hostile text in every field that other hosts control: the command writes it to standard output and standard error only
//! escaped.

use std::{fs, os::unix::net::UnixDatagram, process::Output};

use crate::support::{Listener, directory, run, text};

/// Sequences that clear the screen, change the direction of text, or are invisible. Each must be escaped.
const HOSTILE: &str = "\u{1b}[2J\u{9b}2J\u{202e}\u{61c}\u{2060}\u{feff}\u{ad}\u{206a}\u{206f}\u{e0001}\u{e007f}\u{2028}\u{fff9}\u{fe0f}\u{3164}\u{7f}\r";

fn assert_harmless(what: &str, shown: &str) {
    for character in HOSTILE.chars().filter(|character| !character.is_ascii_graphic()) {
        assert!(!shown.contains(character), "{what} shows {}: {shown:?}", character.escape_unicode());
    }
}

fn assert_output_harmless(what: &str, output: &Output) {
    assert_harmless(what, text(&output.stdout));
    assert_harmless(what, text(&output.stderr));
}

/// The hostile text as a JSON string.
fn quoted() -> String {
    let json = serde_json::to_string(&format!("{HOSTILE}\n")).unwrap();
    json[1..json.len() - 1].to_string()
}

fn datagrams() -> Vec<Vec<u8>> {
    let text = quoted();
    let event = format!(
        r#"{{"dpv":"1","d":"a{text}","pr":"v=TLSRPTv1;{text}","policies":[{{"policy-type":2,"policy-domain":"{text}",
        "policy-string":["{text}"],"mx-host":["{text}"],"new{text}":{{"{text}":"{text}"}},"failure-details":[
        {{"c":204,"s":"{text}","n":"{text}","h":"{text}","r":"{text}","a":"{text}","f":"{text}"}},{{"c":999}}],
        "t":2,"f":1}},{{"policy-type":7,"f":0}}]}}"#
    );
    let valid_record = format!(r#"{{"d":"b{text}","pr":"v=TLSRPTv1;rua=mailto:a@b.example","policies":[]}}"#);
    let other_version = format!(r#"{{"dpv":"{text}","d":"a","pr":"","policies":[]}}"#);
    let mut broken = HOSTILE.as_bytes().to_vec();
    broken.extend(b"\xff\x9b");
    vec![event.into(), valid_record.into(), other_version.into(), HOSTILE.into(), broken]
}

#[test]
fn listen_escapes_hostile_text() {
    for format in ["text", "report"] {
        let directory = directory();
        let listener = Listener::start(&directory.path().join("s"), ["--format", format]);
        for datagram in datagrams() {
            listener.send(datagram);
        }
        listener.signal(nix::sys::signal::Signal::SIGTERM);
        let (code, shown, said) = listener.end();
        assert_eq!(code, Some(0), "{said}");
        // Positive control: the output has the escaped text.
        assert!(shown.contains("202e") && (format == "text" || said.contains("\\u{202e}")), "{format}: {shown}{said}");
        assert_harmless(format, &shown);
        assert_harmless(format, &said);
    }
}

#[test]
fn records_arguments_and_paths_are_escaped() {
    let record = format!("v=TLSRPTv1; rua=mailto:a@b.example; x={HOSTILE}");
    let directory = directory();
    let socket = directory.path().join(HOSTILE);
    let (socket, file) = (socket.to_str().unwrap(), directory.path().join(format!("f{HOSTILE}")));
    fs::write(&file, format!("{{\"d\":\"{}\"\n", quoted())).unwrap();
    let file = file.to_str().unwrap();
    let uses: &[&[&str]] = &[
        &["record", &record],
        &["record", "--format", "json", &record],
        &["record", HOSTILE],
        &["check", "--socket", socket],
        &["check", "--format", "json", "--socket", socket],
        &["send", "--socket", socket, "--domain", HOSTILE, "--record", HOSTILE, "--success"],
        &["send", "--socket", socket, "--domain", "a", "--record", "b", "--failure", HOSTILE],
        &["send", "--socket", socket, "--from", file],
        &["send", "--socket", socket, "--from", HOSTILE],
        &["listen", "--format", HOSTILE],
        &[HOSTILE],
    ];
    let mut escaped = 0;
    for arguments in uses {
        let output = run(*arguments);
        assert_ne!(output.status.code(), Some(0), "{arguments:?}");
        assert_output_harmless(&format!("{arguments:?}"), &output);
        escaped += usize::from([&output.stdout, &output.stderr].iter().any(|shown| text(shown).contains("202e")));
    }
    assert!(escaped >= 9, "{escaped} of {} show it escaped", uses.len());
    let listening = UnixDatagram::bind(socket).unwrap();
    assert_output_harmless("check", &run(["check", "--socket", socket]));
    drop(listening);
}
