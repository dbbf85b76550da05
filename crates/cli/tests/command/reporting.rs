//! Compares the reports of `tlsrpt listen` with those that tlsrpt-reporter 0.6.0 made from the same datagrams. The recording is
//! compared with the reporter itself by the scenario `command-report-vectors` of `make test-mta`.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Stdio,
};

use serde_json::{Value, json};

use crate::support::{Listener, directory, tlsrpt};

/// The expected reports by domain, with their members and lists sorted.
type Reports = BTreeMap<String, Vec<String>>;

#[test]
fn reports_equal_those_of_tlsrpt_reporter() {
    let expected: BTreeMap<String, Vec<Value>> = serde_json::from_str(&read("tests/expected/reports.json")).unwrap();
    let directory = directory();
    let arguments = ["--format", "report", "--organization", "Sender Inc", "--contact", "postmaster@sender.test"];
    let listener = Listener::start(&directory.path().join("s"), arguments);
    let lines: String =
        recorded().filter(|event| is_expected(event, &expected)).map(|event| format!("{event}\n")).collect();
    send(&listener.socket, &lines);
    let shown = listener.end_well();
    let mut ours = Reports::new();
    for report in serde_json::Deserializer::from_str(&shown).into_iter::<Value>() {
        let report = report.unwrap();
        let domain = report["report-id"].as_str().unwrap().splitn(3, '_').last().unwrap();
        ours.entry(domain.into()).or_default().push(comparable(report.clone()));
    }
    ours.values_mut().for_each(|reports| reports.sort());
    let theirs: Reports = expected.into_iter().map(|(domain, reports)| (domain, sorted(reports))).collect();
    assert!(theirs.len() > 20);
    assert_eq!(ours, theirs);
}

/// Each datagram has a different unknown policy member with many small values. In memory these values take many times the size
/// of their text.
#[test]
fn memory_is_bounded_and_omitted_events_are_counted() {
    const EVENTS: u64 = 200;
    const BOUND_KIB: u64 = 64 << 10;
    let directory = directory();
    let arguments = ["--format", "report", "--count", &EVENTS.to_string()];
    let mut listener = Listener::start(&directory.path().join("s"), arguments);
    let small = vec!["[]"; 65_000].join(",");
    // What does not fit the queue of a listener that is slower than this loop is lost, so more may be sent than it takes. It
    // has all the time that it needs: no signal ends it.
    let mut number = 0;
    while !listener.has_output() {
        let policy = format!(r#"{{"policy-type":9,"new-{number}":[{small}],"t":0,"f":0}}"#);
        listener.send(format!(r#"{{"d":"a.example","pr":"","policies":[{policy}]}}"#));
        number += 1;
    }
    // The reports begin after the last event. They do not fit the pipe, so the listener still runs.
    assert_eq!(listener.shows(), "{");
    let memory = listener.most_memory();
    let (code, shown, said) = listener.end();
    assert!(memory < BOUND_KIB, "{memory} KiB");
    let report: Value = serde_json::from_str(&format!("{{{shown}")).unwrap();
    let reported = report["policies"].as_array().unwrap().len() as u64;
    let left_out = number_before(&said, " events are in no report: the buffer is full; give a larger --buffer");
    assert_eq!((code, reported + left_out), (Some(0), EVENTS), "{said}");
    assert!(reported > 0 && left_out > 0, "{reported} {left_out}");
}

/// The number at the beginning of the line that ends with `end`; 0 if there is no such line.
fn number_before(said: &str, end: &str) -> u64 {
    let line = said.lines().find_map(|line| line.strip_prefix("tlsrpt: ")?.strip_suffix(end));
    line.map_or(0, |number| number.parse().unwrap())
}

/// Whether the recorded reports have the event: its numbers are defined, and its domain is one of theirs.
fn is_expected(event: &Value, expected: &BTreeMap<String, Vec<Value>>) -> bool {
    let known = |policy: &Value| {
        let (policy_type, result) = (policy["policy-type"].as_i64().unwrap(), policy["f"].as_i64().unwrap());
        [1, 2, 9].contains(&policy_type) && [0, 1].contains(&result)
    };
    expected.contains_key(&event["d"].as_str().unwrap().to_lowercase())
        && event["policies"].as_array().unwrap().iter().all(known)
}

fn recorded() -> impl Iterator<Item = Value> {
    let sequences = read("../../tests/vectors/sequences.jsonl");
    let sequences: Vec<Value> = sequences.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    sequences.into_iter().flat_map(|sequence| {
        let datagrams = sequence["datagrams"].as_array().unwrap().clone();
        datagrams.into_iter().filter_map(|datagram| serde_json::from_slice(&bytes(datagram.as_str().unwrap())).ok())
    })
}

fn bytes(hexadecimal: &str) -> Vec<u8> {
    let pairs = hexadecimal.as_bytes().chunks_exact(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn send(socket: &Path, lines: &str) {
    let mut sending = tlsrpt();
    sending.args(["send", "--from", "-", "--socket"]).arg(socket).stdin(Stdio::piped()).stderr(Stdio::null());
    let mut sending = sending.spawn().unwrap();
    sending.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    assert!(sending.wait().unwrap().success());
}

fn sorted(reports: Vec<Value>) -> Vec<String> {
    let mut texts: Vec<_> = reports.into_iter().map(comparable).collect();
    texts.sort();
    texts
}

/// The report without its id and its date, which differ between runs.
fn comparable(mut report: Value) -> String {
    report.as_object_mut().unwrap().remove("report-id");
    for moment in report["date-range"].as_object_mut().unwrap().values_mut() {
        *moment = json!(moment.as_str().unwrap().trim_start_matches(|character| character != 'T'));
    }
    in_order(report).to_string()
}

/// Sorts the members of objects and the objects in lists. The lines of a policy keep their order.
fn in_order(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members: BTreeMap<_, _> = members.into_iter().map(|(name, value)| (name, in_order(value))).collect();
            json!(members)
        }
        Value::Array(items) => {
            let mut items: Vec<_> = items.into_iter().map(in_order).collect();
            items.sort_by_key(|item| if item.is_object() { item.to_string() } else { String::new() });
            Value::Array(items)
        }
        other => other,
    }
}

fn read(name: &str) -> String {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
