//! Early warning: the operator is told that sessions with a domain have begun to fail.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use serde_json::Value;

use crate::{
    host::{Host, Service, today, until, yesterday},
    smtp_sink::{Sink, nobody},
};

/// Sessions of a day with a domain.
fn add(host: &mut Host, domain: &str, day: jiff::civil::Date, succeeded: u64, failed: u64) {
    for (times, details) in [(succeeded, ",\"f\":0"), (failed, ",\"failure-details\":[{\"c\":201}],\"t\":1,\"f\":1")] {
        for _ in 0..times {
            let event =
                format!("{{\"d\":\"{domain}\",\"pr\":\"v=TLSRPTv1\",\"policies\":[{{\"policy-type\":9{details}}}]}}");
            host.add_event(day, &event);
        }
    }
}

/// A host whose alerts go to a program that appends what it gets to the file `told`.
fn host_with_program(more: &str) -> Host {
    let host = Host::new(nobody(), "");
    let program = host.file("page");
    fs::write(
        &program,
        format!("#!/bin/sh\nset -e\ncat >>'{0}/told'\necho \" $1\" >>'{0}/told'\n", host.folder.path().display()),
    )
    .unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let text = fs::read_to_string(host.file("tlsrpt.toml")).unwrap();
    let alert = format!("[alert]\ncommand = [\"{}\", \"a b; exit 1\"]\n{more}", program.display());
    fs::write(host.file("tlsrpt.toml"), text + &alert).unwrap();
    host
}

/// Looks once. Returns what was said, without the lines about reports.
fn look(host: &Host) -> String {
    let (_, _, said) = host.run(&["deliver", "--once"]);
    said.lines().filter(|line| !line.contains(" reports about ")).collect()
}

fn told(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

#[test]
fn a_domain_that_used_to_work_is_told_once_until_it_works_again() {
    let mut host = host_with_program("");
    let file = host.file("told");
    add(&mut host, "a.example", yesterday(), 1, 0);
    add(&mut host, "a.example", today(), 0, 4);
    assert_eq!((look(&host).as_str(), told(&file).len()), ("", 0), "four of five");
    add(&mut host, "a.example", today(), 0, 1);
    let said = look(&host);
    assert!(
        said.contains(
            "TLS with a.example has begun to fail: 5 of 5 sessions; reasons today: starttls-not-supported: 5"
        ),
        "{said}"
    );
    let lines = told(&file);
    let (facts, argument) = lines[0].rsplit_once("} ").unwrap();
    let facts: Value = serde_json::from_str(&format!("{facts}}}")).unwrap();
    assert_eq!((&facts["domain"], &facts["failed"], argument), (&"a.example".into(), &5.into(), "a b; exit 1"));

    add(&mut host, "a.example", today(), 0, 20);
    assert_eq!((look(&host).as_str(), told(&file).len()), ("", 1), "it still fails");
    let (code, status, _) = host.run(&["status", "--format", "json"]);
    let status: Value = serde_json::from_str(&status).unwrap();
    assert_eq!((code, status["alerts"][0]["domain"].as_str()), (Some(1), Some("a.example")), "{status}");
    assert!(
        status["alerts"][0]["told"].is_string() && status["attention"].to_string().contains("a.example fails since")
    );

    add(&mut host, "a.example", today(), 50, 0);
    assert!(look(&host).contains("TLS with a.example works again"));
    assert!(!host.run(&["status"]).1.contains("fails since"));
    add(&mut host, "a.example", today(), 4, 5);
    look(&host);
    assert_eq!(told(&file).len(), 2, "it fails again");
}

#[test]
fn neither_a_domain_that_never_worked_nor_a_low_rate_is_an_alert() {
    let mut host = host_with_program("count = 2\nrate = 60\n");
    add(&mut host, "never.example", today(), 0, 9);
    add(&mut host, "rate.example", yesterday(), 1, 0);
    add(&mut host, "rate.example", today(), 5, 7);
    add(&mut host, "fails.example", yesterday(), 1, 0);
    add(&mut host, "fails.example", today(), 4, 6);
    look(&host);
    let lines = told(&host.file("told"));
    assert!(lines.len() == 1 && lines[0].contains("fails.example"), "{lines:?}");
}

#[test]
fn a_mail_is_sent_as_reports_are() {
    let sink = Sink::start();
    let mut host = Host::new(sink.port, "[alert]\nmail = \"postmaster@sender.example\"\ncount = 1\n");
    add(&mut host, "a.example", yesterday(), 1, 0);
    add(&mut host, "a.example", today(), 0, 1);
    look(&host);
    let mails = sink.mails();
    let mail = mails.iter().find(|mail| mail.to == ["postmaster@sender.example"]).unwrap();
    let text = mail.lines.join("\n");
    assert!(text.contains("Subject: TLS with a.example has begun to fail: 1 of 1 sessions\n"), "{text}");
    assert!(text.contains("tlsrpt status --domain a.example"), "{text}");
    look(&host);
    assert_eq!(sink.mails().len(), mails.len());
}

#[test]
fn an_alert_that_cannot_be_told_is_shown_and_reports_go_on() {
    let mut host = host_with_program("count = 1\n");
    fs::remove_file(host.file("page")).unwrap();
    add(&mut host, "a.example", yesterday(), 1, 0);
    add(&mut host, "a.example", today(), 0, 1);
    let (_, out, said) = host.run(&["deliver", "--once"]);
    assert!(out.contains("1 reports made"), "{out}");
    assert!(said.contains("cannot tell the alert about a.example: ") && said.contains("/page: "), "{said}");
    let (_, status, _) = host.run(&["status"]);
    assert!(status.contains("the alert could not be told: ") && status.contains("see [alert]"), "{status}");
}

#[test]
fn the_service_watches() {
    let mut host = host_with_program("count = 1\n");
    add(&mut host, "a.example", yesterday(), 1, 0);
    add(&mut host, "a.example", today(), 0, 1);
    let service = Service::start(&host, "deliver");
    until("the operator is told", || told(&host.file("told")).len() == 1);
    assert_eq!(service.end().0, Some(0));
}
