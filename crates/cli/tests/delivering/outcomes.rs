//! What becomes of a report by the answer of a server and by the limits in the configuration.

use std::{io::Read, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::read::GzDecoder;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    host::{Host, yesterday},
    https_sink::{Fault, answering, certificates, serve},
    smtp_sink::{Mail, Sink, nobody},
};

/// Posts one report to a server that answers so. The exit code, what was printed, and the delivery afterwards.
fn post(status_and_header: &str) -> (Option<i32>, String, Value) {
    let answer = answering(&format!("HTTP/1.1 {status_and_header}\r\nContent-Length: 0\r\n\r\n"));
    let (port, _) = serve(certificates(Fault::None).server, answer);
    let mut host = Host::new(nobody(), &format!("[https]\nallow = [\"127.0.0.0/8\"]\nports = [{port}]\n"));
    host.add(yesterday(), &[("a.example", &format!("https://127.0.0.1:{port}/v1"))]);
    let (code, out, _) = host.run(&["deliver", "--once"]);
    (code, out, host.reports(&[])["reports"][0]["deliveries"][0].clone())
}

fn wait(delivery: &Value) -> Duration {
    let at = |member: &str| delivery[member].as_str().unwrap().parse::<Timestamp>().unwrap();
    at("next-attempt").duration_since(at("last-attempt")).try_into().unwrap()
}

#[test]
fn a_server_that_asks_for_a_wait_gets_it() {
    for (retry_after, expected) in [("", 300), ("\r\nRetry-After: 60", 300), ("\r\nRetry-After: 7200", 7200)] {
        for status in ["429 Too Many Requests", "503 Service Unavailable"] {
            let (code, out, delivery) = post(&format!("{status}{retry_after}"));
            assert_eq!(code, Some(1), "{out}");
            assert!(out.ends_with(", 0 failed for good or were suppressed, 1 are left\n"), "{out}");
            assert_eq!((&delivery["state"], &delivery["attempts"]), (&json!("waiting"), &json!(1)), "{delivery}");
            assert_eq!(delivery["answer"], format!("HTTP {status}"));
            assert_eq!(wait(&delivery).as_secs(), expected, "{status}{retry_after}");
        }
    }
    let (_, _, delivery) = post("429 Too Many Requests\r\nRetry-After: 999999");
    assert_eq!(wait(&delivery).as_secs(), 24 * 60 * 60);
}

#[test]
fn an_answer_that_is_final_is_not_tried_again() {
    for status in ["404 Not Found", "301 Moved Permanently\r\nLocation: https://127.0.0.1/"] {
        let (code, out, delivery) = post(status);
        assert_eq!(code, Some(0), "{out}");
        assert!(out.ends_with(", 1 failed for good or were suppressed, 0 are left\n"), "{out}");
        assert_eq!((&delivery["state"], &delivery["next-attempt"]), (&json!("failed"), &Value::Null), "{delivery}");
        assert_eq!(delivery["answer"], format!("HTTP {}", status.lines().next().unwrap()));
    }
}

#[test]
fn with_failures_only_a_day_of_successes_makes_no_report() {
    let run = |setting: &str| {
        let sink = Sink::start();
        let mut host = Host::new(sink.port, "");
        host.set(setting);
        for (domain, failed) in [("well.example", 0), ("ill.example", 1)] {
            let event = json!({
                "d": domain, "pr": format!("v=TLSRPTv1;rua=mailto:r@{domain}"),
                "policies": [{"policy-type": 9, "t": failed, "f": failed}],
            });
            host.add_event(yesterday(), &event.to_string());
        }
        let out = host.run_well(&["deliver", "--once"]);
        let mut to: Vec<_> = sink.mails().into_iter().flat_map(|mail| mail.to).collect();
        to.sort();
        (out.split(',').next().unwrap().to_owned(), to)
    };
    assert_eq!(run("failures-only = true"), ("1 reports made".into(), vec!["r@ill.example".into()]));
    assert_eq!(run(""), ("2 reports made".into(), vec!["r@ill.example".into(), "r@well.example".into()]));
}

/// The compressed report in a mail: the attachment is its last part.
fn attached(mail: &Mail) -> Vec<u8> {
    let begin = mail.lines.iter().rposition(String::is_empty).unwrap();
    let text = |from: usize| mail.lines[from..].iter().take_while(|line| !line.starts_with("--")).cloned();
    let mut lines = text(begin).collect::<String>();
    if lines.is_empty() {
        // An empty line comes before the last boundary.
        let end = begin;
        let begin = mail.lines[..end].iter().rposition(String::is_empty).unwrap();
        lines = mail.lines[begin..end].concat();
    }
    STANDARD.decode(lines).unwrap()
}

#[test]
fn a_report_that_would_be_too_large_leaves_details_out_and_counts_all() {
    const LIMIT: usize = 10 << 10;
    const FAILURES: u64 = 2000;
    let run = |setting: &str| {
        let sink = Sink::start();
        let mut host = Host::new(sink.port, "");
        host.set(setting);
        // Texts that compress badly. The first failure is the most frequent.
        let text = |n: u64| format!("{:016x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let event = |failures: Vec<Value>, count: usize| {
            json!({
                "d": "a.example", "pr": "v=TLSRPTv1;rua=mailto:r@a.example",
                "policies": [{"policy-type": 9, "failure-details": failures, "t": count, "f": 1}],
            })
        };
        let failures: Vec<_> = (0..FAILURES).map(|n| json!({"c": 205, "a": text(n)})).collect();
        host.add_event(yesterday(), &event(failures, FAILURES as usize).to_string());
        host.add_event(yesterday(), &event(vec![json!({"c": 205, "a": text(0)})], 1).to_string());
        host.run_well(&["deliver", "--once"]);
        let compressed = attached(&sink.mails()[0]);
        let mut json = String::new();
        GzDecoder::new(&compressed[..]).read_to_string(&mut json).unwrap();
        let report: Value = serde_json::from_str(&json).unwrap();
        let details = report["policies"][0]["failure-details"].as_array().unwrap().clone();
        let counted: u64 = details.iter().map(|detail| detail["failed-session-count"].as_u64().unwrap()).sum();
        assert_eq!(counted, FAILURES + 1, "{details:?}");
        let frequent = details.iter().find(|detail| detail["additional-information"] == text(0)).unwrap();
        assert_eq!(frequent["failed-session-count"], 2, "{frequent}");
        (compressed.len(), details.len() as u64)
    };
    let (size, details) = run(&format!("max-size = \"{}KiB\"", LIMIT >> 10));
    assert!(size <= LIMIT && details < FAILURES, "{size} bytes, {details} details");
    let (size, details) = run("");
    assert!(size > LIMIT && details == FAILURES, "{size} bytes, {details} details");
    let (_, details) = run("max-failure-details = 10");
    assert_eq!(details, 11);
}
