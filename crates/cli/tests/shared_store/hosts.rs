//! `tlsrpt hosts`, and the hosts in `tlsrpt status`.

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
