//! `tlsrpt status`.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::Stdio,
};

use serde_json::Value;
use tempfile::TempDir;
use tlsrpt_format::datagram;
use tlsrpt_store::{Batch, BatchId, CountedEvent, Date, Options, Timestamp, Url, open};

use crate::support::{Collector, directory, run, run_badly, run_well, text, tlsrpt};

/// A day: its events with their numbers, and the numbers of invalid and of dropped datagrams.
type DayOfTest<'a> = (Date, &'a [(&'a str, u64)], u64, u64);

/// A host with a store, a configuration that names it, and a socket, which has a collector or not.
struct Host {
    directory: TempDir,
    config: String,
    _collector: Option<Collector>,
}

fn today() -> Date {
    Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()
}

impl Host {
    fn without_store() -> Self {
        let directory = directory();
        let path = directory.path().join("tlsrpt.toml");
        let (socket, store) = (directory.path().join("s"), directory.path().join("tlsrpt.db"));
        let content =
            format!("[collect]\nsocket = \"{}\"\n[store]\nurl = \"sqlite:{}\"\n", socket.display(), store.display());
        fs::write(&path, content).unwrap();
        let collector = Some(Collector::bind(&socket));
        Self { config: path.to_str().unwrap().into(), directory, _collector: collector }
    }

    /// Makes a host whose store has a batch for each day.
    fn with(days: &[DayOfTest<'_>]) -> Self {
        let host = Self::without_store();
        let mut store = open(&Url::Sqlite(host.store()), Options::default()).unwrap();
        for (number, (day, events, invalid, dropped)) in (1..).zip(days) {
            let counted = |(text, times): &(&str, u64)| CountedEvent {
                event: datagram::parse(text.as_bytes()).unwrap(),
                times: *times,
            };
            let batch = Batch {
                id: BatchId { writer: "test".into(), number },
                day: *day,
                last_event: Some(Timestamp::now()),
                events: events.iter().map(counted).collect(),
                invalid: vec![("json", *invalid)],
                dropped: *dropped,
            };
            store.add(&batch).unwrap();
        }
        host
    }

    fn store(&self) -> PathBuf {
        self.directory.path().join("tlsrpt.db")
    }

    fn status(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let all: Vec<_> = ["status", "--config", &self.config].iter().chain(arguments).copied().collect();
        let output = run(all);
        assert_eq!(text(&output.stderr), "");
        (output.status.code(), text(&output.stdout).into())
    }

    fn json(&self, arguments: &[&str]) -> (Option<i32>, Value) {
        let (code, shown) = self.status(&[arguments, &["--format", "json"]].concat());
        (code, serde_json::from_str(&shown).unwrap())
    }
}

const GOOD: &str = r#"{"dpv":"1","d":"good.example","pr":"v=TLSRPTv1;rua=mailto:a@good.example","policies":[
    {"policy-type":9,"t":0,"f":0}]}"#;
const BAD: &str = r#"{"dpv":"1","d":"bad.example","pr":"v=TLSRPTv1;rua=mailto:a@bad.example","policies":[
    {"policy-type":2,"policy-domain":"bad.example","policy-string":["version: STSv1","mode: enforce"],
     "mx-host":["*.bad.example"],"failure-details":[{"c":204,"n":"mx.bad.example"}],"t":1,"f":1}]}"#;
const MARKUP: &str = r#"{"dpv":"1","d":"<script>alert(1)</script>&\"'.example","pr":"","policies":[
    {"policy-type":9,"failure-details":[{"c":204}],"t":1,"f":1}]}"#;
const EVIL: &str = r#"{"dpv":"1","d":"e\u001b[31mvil\n\".example","pr":"\u202e","policies":[
    {"policy-type":9,"failure-details":[{"c":205,"a":"\u0007"}],"t":1,"f":1}]}"#;

#[test]
fn a_working_host_needs_no_attention() {
    let host = Host::with(&[(today(), &[(GOOD, 5)], 0, 0)]);
    let (code, shown) = host.status(&[]);
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.starts_with("collector   listening at "), "{shown}");
    assert!(shown.contains("\nlast event  ") && shown.contains(" ago\n"), "{shown}");
    let yesterday = today().yesterday().unwrap();
    assert!(shown.contains(&format!("\nreports     of {yesterday}: none made\n")), "{shown}");
    let line = shown.lines().find(|line| line.starts_with(&today().to_string())).unwrap();
    assert_eq!(line.split_whitespace().skip(1).collect::<Vec<_>>(), ["5", "0", "1", "0", "0"], "{shown}");
    assert!(!shown.contains("attention"), "{shown}");
    assert_eq!(host.status(&["--integrity"]).0, Some(0));
}

#[test]
fn a_collector_that_does_not_read_needs_attention() {
    let host = Host::with(&[(today(), &[(GOOD, 5)], 0, 0)]);
    let metric = |shown: &str| shown.lines().any(|line| line == "tlsrpt_collector_up 0");
    assert!(!metric(&host.status(&["--format", "prometheus"]).1));
    let socket = host.directory.path().join("s");
    while Collector::fill(&socket) > 0 {}
    let full = format!("the queue of {} is full", socket.display());
    let (code, shown) = host.status(&[]);
    assert_eq!(code, Some(1), "{shown}");
    assert!(shown.starts_with(&format!("collector   not reading: {full}\n")), "{shown}");
    assert!(shown.contains("restart it: systemctl restart tlsrpt-collect"), "{shown}");
    let (code, shown) = host.json(&[]);
    assert_eq!((code, &shown["collector"]["state"]), (Some(1), &Value::from("queue-full")), "{shown}");
    let (code, shown) = host.status(&["--format", "prometheus"]);
    assert!(code == Some(1) && metric(&shown), "{shown}");
    let (code, shown) = host.status(&["--format", "html"]);
    assert!(code == Some(1) && shown.contains(&full), "{shown}");
}

#[test]
fn the_days_in_json_are_newest_first_and_have_today_and_yesterday() {
    let old = today().checked_sub(jiff::Span::new().days(9)).unwrap();
    let host = Host::with(&[(old, &[(GOOD, 2)], 0, 0), (today(), &[(GOOD, 3), (BAD, 4)], 6, 0)]);
    let (code, shown) = host.json(&[]);
    assert_eq!(code, Some(0), "{shown}");
    let day = |index: usize, name: &str| shown["days"][index][name].clone();
    let names: Vec<_> = (0..3).map(|index| day(index, "day")).collect();
    let expected = [today(), today().yesterday().unwrap(), old].map(|day| Value::from(day.to_string()));
    assert_eq!(names, expected);
    let counts: Vec<_> =
        ["events", "failed", "domains", "invalid", "dropped"].iter().map(|name| day(0, name)).collect();
    assert_eq!(counts, [7, 4, 2, 6, 0]);
    assert_eq!(day(1, "events"), 0);
    assert_eq!(shown["most-failures"][0]["domain"], "bad.example");
    assert_eq!(shown["most-failures"][0]["reasons"][0]["result-type"], "certificate-expired");
    assert_eq!(shown["most-failures"][0]["reasons"][0]["times"], 4);
    assert_eq!(shown["invalid"][0]["reason"], "json");
}

#[test]
fn the_ten_domains_with_most_failures_are_shown_with_reasons() {
    let events: Vec<_> = (1..=12).map(|number| BAD.replace("bad.example", &format!("d{number}.example"))).collect();
    let events: Vec<_> = (1..).zip(&events).map(|(times, event)| (event.as_str(), times)).collect();
    let host = Host::with(&[(today(), &events, 0, 0)]);
    let (_, shown) = host.status(&[]);
    let listed: Vec<_> = shown.lines().filter(|line| line.contains("of") && line.contains("failed:")).collect();
    assert_eq!(listed.len(), 10, "{shown}");
    assert_eq!(
        listed[0].split_whitespace().collect::<Vec<_>>().join(" "),
        "d12.example 12 of 12 failed: certificate-expired 12"
    );
    assert!(listed[9].contains("d3.example"), "{shown}");
}

#[test]
fn a_host_that_needs_attention_ends_with_1_and_a_remedy() {
    let mut host = Host::with(&[(today(), &[(GOOD, 1)], 0, 42)]);
    let (code, shown) = host.status(&[]);
    assert_eq!(code, Some(1), "{shown}");
    assert!(shown.contains("42 datagrams were dropped") && shown.contains("raise buffer in [collect]"), "{shown}");
    host._collector = None;
    crate::support::close_for_good((), &host.directory.path().join("s"));
    let (code, shown) = host.json(&[]);
    assert_eq!(code, Some(1));
    assert_eq!(shown["collector"]["state"], "not-listening");
    assert!(shown["attention"].to_string().contains("start it: "), "{shown}");
}

#[test]
fn a_full_queue_needs_attention() {
    let host = Host::with(&[(today(), &[(GOOD, 1)], 0, 0)]);
    Collector::fill(&host.directory.path().join("s"));
    let (code, shown) = host.status(&[]);
    assert_eq!(code, Some(1), "{shown}");
    assert!(shown.contains("is full"), "{shown}");
}

#[test]
fn a_missing_store_needs_attention() {
    let host = Host::without_store();
    let (code, shown) = host.status(&[]);
    assert_eq!(code, Some(1), "{shown}");
    assert!(shown.contains("there is no store; tlsrpt collect creates it"), "{shown}");
    let (code, shown) = host.json(&[]);
    assert_eq!(code, Some(1));
    assert_eq!(shown["days"], Value::Array(Vec::new()));
    assert!(shown["store"]["error"].as_str().unwrap().contains("there is no store"), "{shown}");
    let said = run_badly(1, ["status", "--config", &host.config, "--domain", "a.example"]);
    assert!(said.contains("there is no store"), "{said}");
}

#[test]
fn a_file_that_is_not_a_store_needs_attention() {
    let host = Host::without_store();
    fs::write(host.store(), "this is no database, whatever its name says".repeat(100)).unwrap();
    let (code, shown) = host.status(&[]);
    assert_eq!(code, Some(1), "{shown}");
    assert!(shown.contains("Needs attention\n  store: "), "{shown}");
}

#[test]
fn one_domain_is_described() {
    let host = Host::with(&[(today(), &[(BAD, 4), (GOOD, 1)], 0, 0)]);
    let (code, shown) = host.status(&["--domain", "Bad.Example.", "--day", "today"]);
    let expected = format!(
        "bad.example on {}: 4 sessions, 4 failed\n\n  record   v=TLSRPTv1;rua=mailto:a@bad.example\n  policy   sts of \
         bad.example: 4 sessions, 4 failed\n           version: STSv1\n           mode: enforce\n  mx-host  \
         *.bad.example\n  failure  4 times certificate-expired: The certificate has expired.\n           \
         receiving-mx-hostname: mx.bad.example\n",
        today()
    );
    assert_eq!((code, shown), (Some(0), expected));
    let (_, shown) = host.status(&["--domain", "good.example", "--day", "today"]);
    assert!(shown.contains(": 1 session, 0 failed\n"), "{shown}");
    let (code, shown) = host.status(&["--domain", "other.example", "--day", "2020-02-29"]);
    assert_eq!((code, shown.as_str()), (Some(0), "other.example on 2020-02-29: no sessions\n"));
    let (code, shown) = host.json(&["--domain", "bad.example"]);
    assert_eq!(code, Some(0));
    let policy = &shown["days"][0]["policies"][0];
    assert_eq!(policy["failed"], 4);
    assert_eq!(policy["policy"]["policy-type"], "sts");
    assert_eq!(policy["failures"][0]["receiving-mx-hostname"], "mx.bad.example");
    assert_eq!(shown["days"].as_array().unwrap().len(), 2);
}

#[test]
fn hostile_text_is_escaped_in_every_format() {
    let host = Host::with(&[(today(), &[(EVIL, 4)], 0, 0)]);
    let evil = "e\u{1b}[31mvil\n\".example";
    let views: [&[&str]; 3] = [&[], &["--format", "prometheus"], &["--domain", evil]];
    for arguments in views {
        let (_, shown) = host.status(arguments);
        assert!(shown.contains("u{1b}[31mvil"), "{shown:?}");
        for character in ['\u{1b}', '\u{7}', '\u{202e}'] {
            assert!(!shown.contains(character), "{shown:?}");
        }
    }
    let (_, metrics) = host.status(&["--format", "prometheus"]);
    assert!(metrics.contains(r#"{domain="e\\u{1b}[31mvil\\n\".example"} 4"#), "{metrics}");
    assert_eq!(host.json(&[]).1["most-failures"][0]["domain"], evil);
}

#[test]
fn metrics_have_a_value_for_today_and_yesterday() {
    let host = Host::with(&[(today(), &[(GOOD, 3), (BAD, 4)], 6, 0)]);
    let (code, shown) = host.status(&["--format", "prometheus"]);
    assert_eq!(code, Some(0), "{shown}");
    for line in [
        "tlsrpt_collector_up 1",
        "tlsrpt_attention 0",
        "tlsrpt_store_up 1",
        "tlsrpt_day_events{day=\"today\"} 7",
        "tlsrpt_day_events{day=\"yesterday\"} 0",
        "tlsrpt_day_failed_events{day=\"today\"} 4",
        "tlsrpt_day_invalid_datagrams{day=\"today\"} 6",
        "tlsrpt_domain_failed_events{domain=\"bad.example\"} 4",
    ] {
        assert!(shown.lines().any(|found| found == line), "{line}\n{shown}");
    }
    assert!(shown.ends_with("\n# EOF\n"), "{shown}");
}

#[test]
fn the_html_page_is_one_file_and_escapes_markup() {
    let host = Host::with(&[(today(), &[(EVIL, 4), (BAD, 2), (MARKUP, 3)], 6, 0)]);
    let (code, page) = host.status(&["--format", "html"]);
    assert_eq!(code, Some(0));
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>"), "{page}");
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{page}");
    assert!(page.contains("e\\u{1b}[31mvil") && !page.contains('\u{1b}'), "{page}");
    for absent in ["<script", "http:", "https:", "src=", "href=", "url("] {
        assert!(!page.contains(absent), "{absent}: {page}");
    }
    assert!(page.contains("<svg ") && page.contains(": 9 sessions, 9 failed"), "{page}");
    assert!(page.contains("certificate-expired 2") && page.contains("validation-failure 4"), "{page}");
    assert!(page.contains("<td>5</td>"), "the sum of both domains: {page}");
}

#[test]
fn an_output_file_is_replaced_at_once_and_readable_for_everybody() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let host = Host::with(&[(today(), &[(GOOD, 3)], 0, 0)]);
    let file = host.directory.path().join("tlsrpt.html");
    fs::write(&file, "old").unwrap();
    let before = fs::metadata(&file).unwrap();
    let (code, shown) = host.status(&["--format", "html", "--output", file.to_str().unwrap()]);
    assert_eq!((code, shown.as_str()), (Some(0), ""));
    assert!(fs::read_to_string(&file).unwrap().ends_with("</html>"));
    let after = fs::metadata(&file).unwrap();
    assert_ne!(before.ino(), after.ino());
    assert_eq!(after.permissions().mode() & 0o777, 0o644);
    let socket = host.directory.path().join("s");
    let said = run_badly(1, ["status", "--config", &host.config, "--output", socket.to_str().unwrap()]);
    assert!(said.contains("it is not a file") && !fs::metadata(&socket).unwrap().is_file(), "{said}");
    let said = run_badly(1, ["status", "--config", &host.config, "--output", "/nowhere/page"]);
    assert!(said.starts_with("cannot write /nowhere/page: "), "{said}");
    let files = fs::read_dir(host.directory.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = files.filter(|name| name.to_string_lossy().starts_with(".tmp")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn watch_ends_when_the_reader_closes_the_pipe() {
    let host = Host::with(&[(today(), &[(GOOD, 3)], 0, 0)]);
    let mut child = tlsrpt()
        .args(["status", "--watch", "--format", "json", "--config", &host.config])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for _ in 0..2 {
        let shown: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert_eq!(shown["days"][0]["events"], 3);
    }
    drop(lines);
    assert!(child.wait().unwrap().success());
}

#[test]
fn status_does_not_change_the_store() {
    let host = Host::with(&[(today(), &[(GOOD, 3)], 0, 0)]);
    let before = fs::read(host.store()).unwrap();
    for form in ["text", "json", "prometheus"] {
        host.status(&["--format", form]);
    }
    assert_eq!(fs::read(host.store()).unwrap(), before);
}

#[test]
fn an_error_in_the_configuration_is_bad_use() {
    let directory = directory();
    let path = directory.path().join("tlsrpt.toml");
    fs::write(&path, "[stroe]\n").unwrap();
    let said = run_badly(2, ["status", "--config", path.to_str().unwrap()]);
    assert!(said.ends_with("1: unknown section [stroe]; did you mean [store]?"), "{said}");
    assert!(run_well(["status", "--help"]).contains("--config <FILE>"));
}
