//! `tlsrpt receive` and `tlsrpt received`.

use std::{fs, io::Write};

use serde_json::Value;

use crate::host::{Done, Host, day_before, report, run};

fn well(done: Done) -> String {
    let (code, shown, said) = done;
    assert_eq!((code, said.as_str()), (0, ""), "{shown}");
    shown
}

#[test]
fn reports_are_kept_once_and_listed() {
    let host = Host::new();
    let (old, new) = (day_before(2), day_before(1));
    assert_eq!(well(host.receive(&report("Sender Inc.", old, 10, 0, ""))), "");
    assert_eq!(well(host.receive(&report("Sender Inc.", new, 7, 3, "tlsa-invalid"))), "");
    let again = format!("tlsrpt: the report {new} of Sender Inc. is kept already\n");
    assert_eq!(host.receive(&report("Sender Inc.", new, 7, 3, "tlsa-invalid")), (0, String::new(), again));
    let list = well(host.run(&["received", "EXAMPLE.org."], b""));
    let expected = format!(
        "{new}  example.org  7 succeeded, 3 failed, reported by Sender Inc.\n    3 failed: tlsa-invalid\n\
         {old}  example.org  10 succeeded, 0 failed, reported by Sender Inc.\n\n\
         Failures that last\n  example.org: tlsa-invalid since {new}, 3 sessions until {new}, reported by Sender Inc.\n"
    );
    assert_eq!(list, expected);
    let none = "no reports; tlsrpt receive keeps those that arrive\n";
    assert_eq!(well(host.run(&["received", "other.example"], b"")), none);
    let json: Value = serde_json::from_str(&well(host.run(&["received", "--format", "json"], b""))).unwrap();
    assert_eq!((&json["days"][0]["failed"], &json["runs"][0]["since"]), (&3.into(), &new.to_string().into()));
    let day = well(host.run(&["received", "--day", &old.to_string()], b""));
    assert!(day.ends_with(&format!("\nSender Inc.  {old}\n")) && !day.contains("tlsa"), "{day}");
    let shown = well(host.run(&["received", "show", "Sender Inc.", &new.to_string()], b""));
    assert!(shown.contains("DKIM        not checked") && shown.contains("3 failed: tlsa-invalid"), "{shown}");
    let (code, _, said) = host.run(&["received", "show", "Sender Inc.", "x"], b"");
    assert!(code == 1 && said.contains("there is no report x of Sender Inc."), "{said}");
}

#[test]
fn a_page_of_the_kept_reports() {
    let host = Host::new();
    let page = || well(host.run(&["received", "--format", "html"], b""));
    host.receive(&report("Sender Inc.", day_before(2), 10, 0, ""));
    let none = well(host.run(&["received", "other.example", "--format", "html"], b""));
    assert!(none.contains("No reports are kept"), "{none}");
    assert!(page().contains("No organization reports failures in its latest reports."));
    host.receive(&report("Sender Inc.", day_before(1), 7, 3, "tlsa-invalid"));
    let text = page();
    let day = day_before(1);
    for wanted in [
        "Failures that last",
        "Failures by reason",
        &format!("tlsa-invalid</bdi> since {day}"),
        "Compare the TLSA record",
    ] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
}

#[test]
fn an_alert_is_one_line_and_an_exit_code() {
    let host = Host::new();
    let alert = |more: &[&str]| host.run(&[&["received", "--alert"], more].concat(), b"");
    host.receive(&report("Sender Inc.", day_before(2), 10, 0, ""));
    assert_eq!(alert(&[]), (0, String::new(), String::new()));
    host.receive(&report("Sender Inc.", day_before(1), 7, 3, "tlsa-invalid"));
    let day = day_before(1);
    let line = format!(
        "example.org: 3 of 10 sessions failed on {day} (tlsa-invalid), reported by Sender Inc.; 0.0 % before\n"
    );
    assert_eq!(alert(&[]), (1, line.clone(), String::new()));
    assert_eq!(alert(&["--count", "3", "--rate", "30"]), (1, line, String::new()));
    assert_eq!(alert(&["--count", "4"]), (0, String::new(), String::new()));
    assert_eq!(alert(&["--rate", "31"]), (0, String::new(), String::new()));
    // Cron mails what is printed: also that nothing can be compared.
    fs::write(host.path("tlsrpt.db"), "damaged").unwrap();
    let (code, shown, said) = alert(&[]);
    assert!(code == 1 && shown.is_empty() && said.starts_with("tlsrpt: ") && said.lines().count() == 1, "{said}");
}

#[test]
fn exit_codes_tell_the_mail_server_what_to_do() {
    let host = Host::new();
    let good = report("Sender Inc.", day_before(1), 1, 0, "");
    let (code, _, said) = host.receive("Subject: lunch\n\nAt noon?\n");
    assert_eq!((code, said.as_str()), (0, "tlsrpt: the mail has no TLS report\n"));
    let broken = "From: a@b.example\nContent-Type: application/tlsrpt+json\n\n{";
    let (code, _, said) = host.receive(broken);
    assert!(code == 65 && said.contains("it is not valid JSON"), "{code} {said}");
    let (code, _, said) = host.run(&["receive", "--dkim=require"], good.as_bytes());
    assert!(code == 77 && said.contains("the report is refused: no valid signature"), "{code} {said}");
    assert!(!host.path("tlsrpt.db").exists());
    let checked = host.run(&["receive", "--dkim"], good.as_bytes());
    assert_eq!(well(checked), "");
    let shown = well(host.run(&["received", "show", "Sender Inc.", &day_before(1).to_string()], b""));
    assert!(shown.contains("DKIM        no valid signature: the mail does not have one From address"), "{shown}");

    host.configure("[received]\nmax-reports = 1\n");
    let (code, _, said) = host.receive(&report("Sender Inc.", day_before(3), 1, 0, ""));
    assert!(code == 75 && said.contains("max-reports or max-size in [received]"), "{code} {said}");
    fs::write(host.path("tlsrpt.db"), "damaged").unwrap();
    assert_eq!(host.receive(&good).0, 75);
    host.configure("[received]\nkeep-days = 0\n");
    assert_eq!(host.receive(&good).0, 75);
}

/// Whatever is wrong with the host, the mail server must try again: any other code returns the mail for good.
#[test]
fn nothing_that_is_wrong_with_the_host_rejects_a_mail() {
    let host = Host::new();
    let good = report("Sender Inc.", day_before(1), 1, 0, "");
    let again = |what: &str, done: Done, expected: &str| {
        let (code, _, said) = done;
        assert_eq!(code, 75, "{what}: {said}");
        assert!(said.contains(expected), "{what}: {said}");
    };
    for subcommand in ["receive", "bounce"] {
        let with = |arguments: &[&str]| run(&[&[subcommand], arguments].concat(), good.as_bytes());
        again("a wrong option", with(&["--dkmi"]), "unexpected argument '--dkmi'");
        again("no configuration", with(&["--config", "/nowhere/tlsrpt.toml"]), "/nowhere/tlsrpt.toml");
        again("a directory", with(&["--config", "/"]), "/: ");
    }
    for (what, url, expected) in [
        ("nothing can be created there", "sqlite:/proc/tlsrpt.db", "/proc/tlsrpt.db"),
        ("no server", "postgresql://tlsrpt@/tlsrpt?host=/nowhere", "/nowhere"),
    ] {
        fs::write(host.path("tlsrpt.toml"), format!("[store]\nurl = \"{url}\"\n")).unwrap();
        again(what, host.receive(&good), expected);
    }
    host.configure("");
    assert_eq!(well(host.receive(&good)), "");
    let other = report("Sender Inc.", day_before(2), 1, 0, "");
    let lock = rusqlite::Connection::open(host.path("tlsrpt.db")).unwrap();
    lock.execute_batch("BEGIN EXCLUSIVE").unwrap();
    again("locked", host.receive(&other), "locked");
    lock.execute_batch("ROLLBACK").unwrap();
    // The system ends a process that makes a file longer than this.
    again("a limit of the system", host.receive_with_limit("-f 0", other.as_bytes()), "was ended by SIGXFSZ");
    assert_eq!(well(host.receive(&other)), "");
}

/// Memory runs out at another place with each limit.
#[test]
fn too_little_memory_rejects_no_mail() {
    const STEP_KIB: u64 = 12 << 10;
    let host = Host::new();
    let plain = report("Sender Inc.", day_before(1), 1, 0, "");
    let long = format!("{plain}{}", " ".repeat(40 << 20));
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(long.as_bytes()).unwrap();
    let many = plain.replacen('{', &format!("{{\"x\":[{}],", vec!["0"; 1_000_000].join(",")), 1);
    for mail in [packed.finish().unwrap(), many.into_bytes()] {
        let with = |kib: u64, mail: &[u8]| host.receive_with_limit(&format!("-v {kib}"), mail);
        // As much as the program needs for a mail without a report.
        let least = (1..).map(|step| step * STEP_KIB).find(|kib| with(*kib, b"Subject: x\n\n").0 == 0).unwrap();
        let mut tries = 0;
        let enough = (1..).map(|step| least + step * STEP_KIB).find(|kib| {
            let (code, _, said) = with(*kib, &mail);
            assert!(matches!(code, 0 | 75), "{kib} KiB: {code} {said}");
            tries += u32::from(code == 75);
            code == 0
        });
        assert!(tries > 0 && enough.is_some(), "{tries} {enough:?}");
    }
}
