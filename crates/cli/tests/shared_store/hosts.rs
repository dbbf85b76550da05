//! `tlsrpt hosts`, and the hosts in `tlsrpt status`.

use std::os::unix::net::UnixDatagram;

use jiff::Timestamp;
use serde_json::Value;
use tlsrpt_store::HostState;

use crate::{host::today, site::Site};

#[test]
fn hosts_are_shown_everywhere_and_forgotten() {
    let site = Site::new();
    for (name, waiting, ahead) in [("mx1.example", 0, 0), ("mx2.example", 3, 3600)] {
        let state = HostState {
            name: name.into(),
            now: Timestamp::from_second(Timestamp::now().as_second() + ahead).unwrap(),
            complete_before: today(),
            last_batch: None,
            spool_batches: waiting,
            spool_bytes: waiting * 1024,
        };
        site.collector().check_in(&state).unwrap();
    }
    site.sql("UPDATE host SET checked_in = checked_in - 7200 WHERE name = 'mx1.example'");
    let reader = Site::host(&site.url("tlsrpt_status"), 25);
    let listed = reader.run_well(&["hosts"]);
    let names =
        |listed: &str| listed.lines().map(|line| line.split(':').next().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(&listed), names(&reader.run_well(&["hosts", "list"])));
    let lines: Vec<_> = listed.lines().collect();
    assert!(lines[0].starts_with("mx1.example: seen 2h"), "{listed}");
    assert!(lines[1].contains("no batch yet, 3 batches (3.0 KiB) wait, complete before"), "{listed}");
    assert!(lines[1].contains("its clock is ") && lines[1].ends_with("ahead"), "{listed}");
    // Exit code 1: nothing collects on this host.
    let (code, text, _) = reader.run(&["status"]);
    assert_eq!(code, Some(1));
    for expected in [
        "\nHosts\n  mx1.example: seen 2h",
        "host mx1.example: not seen for 2h",
        "run: tlsrpt hosts forget mx1.example",
        "host mx2.example: its clock is ",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let json: Value = serde_json::from_str(&reader.run(&["status", "--format", "json"]).1).unwrap();
    assert_eq!((&json["hosts"][1]["name"], &json["hosts"][1]["waiting-bytes"]), (&"mx2.example".into(), &3072.into()));
    let metrics = reader.run(&["status", "--format", "prometheus"]).1;
    assert!(metrics.contains("tlsrpt_host_waiting_batches{host=\"mx2.example\"} 3\n"), "{metrics}");
    assert!(reader.run(&["status", "--format", "html"]).1.contains("<li>mx2.example: seen "));

    let (code, _, said) = reader.run(&["hosts", "forget", "mx1.example"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("permission denied"), "{said}");
    let reporter = Site::host(&site.url("tlsrpt_reporter"), 25);
    reporter.run_well(&["hosts", "forget", "mx1.example"]);
    let (code, _, said) = reporter.run(&["hosts", "forget", "mx1.example"]);
    assert_eq!((code, said.as_str()), (Some(1), "tlsrpt: mx1.example is not on the list; see tlsrpt hosts\n"));
    assert_eq!(reporter.run_well(&["hosts"]).lines().count(), 1);
    // A store of this host alone.
    let (code, _, said) = crate::host::Host::new(25, "").run(&["hosts"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("the store of this host alone"), "{said}");
}

#[test]
fn the_role_of_a_collector_sees_its_host_and_who_sees_the_rest() {
    let site = Site::new();
    site.add(1, today(), &["a.example".into()]);
    let host = |role: &str| {
        let host = Site::host(&site.url(role), 25);
        host.change("[store]\n", &format!("[store]\nspool = \"{}\"\n", host.file("spool.db").display()));
        let collector = UnixDatagram::bind(host.file("s")).unwrap();
        (host, collector)
    };
    let (collecting, listener) = host("tlsrpt_collector");
    let seen = |arguments: &[&str]| {
        let (code, out, said) = collecting.run(&[&["status"], arguments].concat());
        assert_eq!(said, "");
        (code, out)
    };
    let note =
        "the role tlsrpt_collector adds counts and may not read them; the role tlsrpt_status may: name it in the url";
    let (code, text) = seen(&[]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.starts_with("collector   listening at ") && text.contains(", which answers\nspool "), "{text}");
    let lines: Vec<_> = text.lines().filter(|line| line.contains(note)).collect();
    assert!(lines.len() == 1 && lines[0].starts_with("  store: the counters, reports, alerts and hosts"), "{text}");
    let (code, json) = seen(&["--format", "json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &json["store"]["readable"], &json["store"]["error"]), (Some(0), &false.into(), &Value::Null));
    assert_eq!((&json["attention"], json["notes"].as_array().unwrap().len()), (&Value::Array(vec![]), 1), "{json}");
    let (code, metrics) = seen(&["--format", "prometheus"]);
    for line in ["tlsrpt_store_up 1", "tlsrpt_store_readable 0", "tlsrpt_attention 0"] {
        assert!(code == Some(0) && metrics.contains(&format!("\n{line}\n")), "{line}: {metrics}");
    }
    let (code, page) = seen(&["--format", "html"]);
    assert!(code == Some(0) && page.contains("Nothing needs attention.") && page.contains(note), "{page}");
    // What is asked for and cannot be told is a failure.
    assert_eq!(seen(&["--integrity"]).0, Some(1));
    let (code, _, said) = collecting.run(&["status", "--domain", "a.example"]);
    assert!(code == Some(1) && said.contains(note), "{said}");
    drop(listener);
    let (code, text) = seen(&[]);
    assert!(code == Some(1) && text.contains("Needs attention\n  collector: ") && text.contains(note), "{text}");
    // A role that reads has no such note.
    let (reading, _listener) = host("tlsrpt_status");
    let json: Value = serde_json::from_str(&reading.run_well(&["status", "--format", "json"])).unwrap();
    assert_eq!((&json["store"]["readable"], &json["notes"]), (&true.into(), &Value::Array(vec![])), "{json}");
    assert_eq!(json["days"][0]["events"], 1);
}
